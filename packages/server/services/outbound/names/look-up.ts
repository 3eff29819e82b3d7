import { lookup } from 'node:dns/promises';
import { createSmallCache } from '../../reading/small-cache.ts';
import { OutboundError } from '../outbound-error.ts';
import type { HostsFile } from './hosts-file.ts';
import type { NameServers } from './name-servers.ts';
import type { NameTurns } from './name-turns.ts';

/** The addresses of a host. Rejects where there are none, or where nobody could say in time. */
export type LookUp = (host: string) => Promise<readonly string[]>;

type Dependencies = {
  readonly hosts: HostsFile;
  readonly nameServers: NameServers;
  /** The turns of names that the name servers are asked for, and of those that the system is asked for. */
  readonly turns: { readonly asked: NameTurns; readonly system: NameTurns };
  /** Everything that the system knows; cannot be given up. */
  readonly system: LookUp;
  readonly now: () => number;
};

/** In milliseconds: a server is looked for by its name twice, and often by several at about the same time. */
const missingFor = 15_000;
const mostMissing = 10_000;

export async function askSystem(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
}

/**
 * Finds hosts as the system does: in `/etc/hosts`, then by the name servers, and in the end by whatever else it knows (search
 * domains, multicast, modules). All of that is `getaddrinfo`, but it takes a thread for as long as the slowest of somebody else's name
 * servers, cannot be given up, and two at a time is all that libuv lets it have of its four threads. So it is asked for names
 * of which the name servers say that they are none, and for those without a dot, which nobody owns.
 */
export function createLookUp({ hosts, nameServers, turns, system, now }: Dependencies): LookUp {
  const underWay = new Map<string, Promise<readonly string[]>>();
  const missing = createSmallCache<string, { readonly error: OutboundError; readonly until: number }>(mostMissing);

  async function ask(host: string): Promise<readonly string[]> {
    const isOwned = host.includes('.');
    const found = isOwned ? await turns.asked.run(host, (signal) => nameServers.addresses(host, signal)) : undefined;
    return found ?? (await turns.system.run(host, () => system(host)));
  }

  async function find(host: string): Promise<readonly string[]> {
    const listed = await hosts.find(host);
    if (listed.length > 0) return listed;
    const known = missing.get(host);
    if (known !== undefined && known.until > now()) throw known.error;
    try {
      const found = await ask(host);
      missing.delete(host);
      return found;
    } catch (error) {
      const failure = error instanceof OutboundError ? error : noAddress(host, error);
      if (failure.failure !== 'busy') missing.set(host, { error: failure, until: now() + missingFor });
      throw failure;
    }
  }

  return (name) => {
    const host = name.toLowerCase();
    let answer = underWay.get(host);
    if (answer === undefined) {
      answer = find(host).finally(() => underWay.delete(host));
      underWay.set(host, answer);
    }
    return answer;
  };
}

function noAddress(host: string, cause: unknown): OutboundError {
  return new OutboundError('unknown-host', `There is no address for ${host}`, { cause });
}
