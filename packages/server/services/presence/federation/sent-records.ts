import type { Recipients } from '@portico/protocol/privacy/presence/recipients.ts';
import type { After } from '../../sync/waiting.ts';
import { createDueTimes } from '../due-times.ts';

/** What another server was last told of a person, and for whom. */
export type Sent = { readonly print: string; readonly recipients: Recipients };

/** What other servers have been told of people who are not offline; says it again from time to time. */
export interface SentRecords {
  find(userId: string, host: string): Sent | undefined;
  note(userId: string, host: string, sent: Sent): void;
  drop(userId: string, host: string): void;
  /** What was said last of somebody has not arrived. */
  lost(userId: string, host: string): void;
  /** Of whom what was said last to a server has not arrived. */
  lostAt(host: string): readonly string[];
  hostsOf(userId: string): ReadonlySet<string>;
  close(): void;
}

type Options = {
  readonly now: () => number;
  readonly after: After;
  /** Everybody whom a server knows as online, all at once. */
  readonly onRepeat: (host: string, people: ReadonlyMap<string, Recipients>) => void;
};

const repeatAfter = 24 * 60_000;
const nothing: ReadonlySet<string> = new Set();
/** Of nothing that can be said. */
const lostPrint = '';

export function createSentRecords({ now, after, onRepeat }: Options): SentRecords {
  const byHost = new Map<string, Map<string, Sent>>();
  const byUser = new Map<string, Set<string>>();
  const dueTimes = createDueTimes({
    now,
    after,
    onDue(host) {
      const people = byHost.get(host);
      if (people === undefined) return;
      onRepeat(host, new Map(Array.from(people, ([userId, { recipients }]) => [userId, recipients])));
      dueTimes.set(host, now() + repeatAfter);
    },
  });

  return {
    find: (userId, host) => byHost.get(host)?.get(userId),
    note(userId, host, sent) {
      let people = byHost.get(host);
      if (people === undefined) {
        people = new Map();
        byHost.set(host, people);
        dueTimes.set(host, now() + repeatAfter);
      }
      people.set(userId, sent);
      const hosts = byUser.get(userId);
      if (hosts === undefined) byUser.set(userId, new Set([host]));
      else hosts.add(host);
    },
    drop(userId, host) {
      const people = byHost.get(host);
      people?.delete(userId);
      if (people?.size === 0) {
        byHost.delete(host);
        dueTimes.set(host, undefined);
      }
      const hosts = byUser.get(userId);
      hosts?.delete(host);
      if (hosts?.size === 0) byUser.delete(userId);
    },
    lost(userId, host) {
      const people = byHost.get(host);
      const last = people?.get(userId);
      if (last !== undefined) people?.set(userId, { ...last, print: lostPrint });
    },
    lostAt: (host) =>
      Array.from(byHost.get(host) ?? []).flatMap(([userId, { print }]) => (print === lostPrint ? [userId] : [])),
    hostsOf: (userId) => byUser.get(userId) ?? nothing,
    close: dueTimes.close,
  };
}
