import { Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export type SrvRecord = {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
};

/** What name servers say. Asking them takes no thread, so that many may be asked at a time, and be given up. */
export interface NameServers {
  /** The addresses of a host, or `undefined` where they know of none. Rejects where they could not tell. */
  addresses(host: string, signal: AbortSignal): Promise<readonly string[] | undefined>;
  /** Empty where there are no such records. Rejects where they could not tell. */
  services(name: string, signal: AbortSignal): Promise<readonly SrvRecord[]>;
}

/** Two tries of this long, in milliseconds, of each of the name servers. */
const patience = 2000;
const tries = 2;
/** In milliseconds: for how long addresses of one family that have come wait for those of the other. */
const headStart = 250;

const noRecord: ReadonlySet<unknown> = new Set(['ENODATA', 'ENOTFOUND']);
/** Nor is there anybody here who could be asked, or it is no name that could be asked for. */
const saysNo: ReadonlySet<unknown> = new Set([...noRecord, 'ECONNREFUSED', 'EBADNAME', 'ENONAME']);

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** `servers`: instead of those of `/etc/resolv.conf`. */
export function createNameServers(servers?: readonly string[]): NameServers {
  /** A new one each time reads resolv.conf as it is now, and asks from another port, which makes forging answers harder. */
  async function ask<T>(signal: AbortSignal, question: (resolver: Resolver) => Promise<T>): Promise<T> {
    const resolver = new Resolver({ timeout: patience, tries });
    if (servers !== undefined) resolver.setServers(servers);
    const giveUp = (): void => resolver.cancel();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await question(resolver);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  return {
    addresses: (host, signal) =>
      ask(signal, async (resolver) => {
        const families = [resolver.resolve6(host), resolver.resolve4(host)];
        const isLate = Promise.any(families).then(
          () => sleep(headStart, undefined, { ref: false }),
          () => undefined,
        );
        await Promise.race([Promise.allSettled(families), isLate]);
        resolver.cancel();
        const answers = await Promise.allSettled(families);
        const found = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : []));
        if (found.some((each) => each.length > 0)) return inTurns(found);
        const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
        const unable = failures.find((failure) => !saysNo.has(codeOf(failure)));
        if (unable !== undefined) throw unable;
        return undefined;
      }),
    services: (name, signal) =>
      ask(signal, async (resolver) => {
        try {
          return await resolver.resolveSrv(name);
        } catch (error) {
          if (noRecord.has(codeOf(error))) return [];
          throw error;
        }
      }),
  };
}

/** One of each family after the other, so that one that leads nowhere does not hide the other (RFC 8305, section 4). */
function inTurns(lists: readonly (readonly string[])[]): readonly string[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list[index] ?? [])).flat();
}
