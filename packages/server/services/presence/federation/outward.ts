import type { Recipients } from '@portico/protocol/privacy/presence/recipients.ts';
import type { CommittedChanges, Database } from '@portico/storage';
import { movedMemberOf, type MovedMember } from '@portico/storage/stores/rooms/moved-member.ts';
import type { Outbox } from '../../federation/sender/outbox.ts';
import type { FirstContacts } from '../../rate-limit/first-contacts.ts';
import type { After } from '../../sync/waiting.ts';
import { createPacer } from '../../pacer.ts';
import type { OwnPeople } from '../own-people.ts';
import type { PeopleRooms } from '../people-rooms.ts';
import { lookOf } from '../view.ts';
import type { AwareServers } from './aware-servers.ts';
import { createKeptReaches } from './kept-reaches.ts';
import type { OpenReach, Reach, Reaches } from './reach.ts';
import { createSendQueue } from './send-queue.ts';
import { createSentRecords } from './sent-records.ts';
import { createTellServer } from './tell-server.ts';
import { createToldRecords } from './told-records.ts';
import { createUndelivered } from './undelivered.ts';

/** Tells other servers who of this one is online, as far as people let them know. */
export interface Outward {
  /** Sees to it that what the process before this one told other servers does not stay. */
  restore(): Promise<void>;
  /** Resolves when what is due has been handed to the sender. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly isOwn: (userId: string) => boolean;
  readonly own: OwnPeople;
  readonly rooms: PeopleRooms;
  readonly reaches: Reaches;
  readonly outbox: Pick<Outbox, 'put' | 'onOpen'>;
  readonly aware: AwareServers;
  readonly firstContacts: Pick<FirstContacts, 'permitted'>;
  /** Whether servers that do not know the proposal get only what all there may see. */
  readonly withholds: boolean;
  readonly now: () => number;
  readonly after: After;
  readonly onFailure: (error: unknown) => void;
};

const nowhere: ReadonlySet<string> = new Set();
/** What somebody does goes out soon; what time does may wait, since it may be undone. */
const soon = 200;
const later = 5000;

export function createOutward(deps: Dependencies): Outward {
  const { db, isOwn, own, rooms, reaches, outbox, aware, firstContacts, withholds, now, after, onFailure } = deps;
  const kept = createKeptReaches({ reaches, rooms });
  /** Of whom others were told what this process does not remember: it is looked up when there is something to tell. */
  const recalled = new Set<string>();
  const sent = createSentRecords({ now, after, onRepeat: (host, people) => servers.repeat(host, people) });
  const queue = createSendQueue({ now, after, send, onFailure });
  const undelivered = createUndelivered({ now, after, onDue: (userId) => queue.add(userId, soon) });
  const told = createToldRecords({
    db,
    after,
    onFailure,
    onLost(userId, host) {
      recalled.add(userId);
      undelivered.add(userId, host);
    },
  });
  const servers = createTellServer({ own, sent, told, outbox, now });

  const isPresent = (userId: string) => lookOf(own.known(userId)) !== '';
  const concerns = (userId: string) => kept.has(userId) || recalled.has(userId);

  /** A server that shows presence to all who share a room gets it only if all of those may see it. */
  function withheld(reach: Reach, userId: string, host: string, recipients: Recipients): boolean {
    if (!withholds || recipients.kind !== 'listed') return false;
    if (aware.knows(host, () => queue.add(userId, soon))) return false;
    return !reach.hosts.has(host) || reaches.refused(reach, host).size > 0;
  }

  /** Servers that may get anything. Of those that are named only, and were not told before, not more than anybody may write to. */
  async function hostsOf(userId: string, open: OpenReach, more: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const before = new Set([...open.reach.hosts, ...sent.hostsOf(userId), ...more]);
    const named = [...reaches.hosts(open)].filter((host) => !before.has(host));
    if (named.length === 0) return before;
    return before.union(await firstContacts.permitted(userId, named));
  }

  /** Who is to be told of somebody, of each server. */
  async function plan(userId: string, open: OpenReach, more: ReadonlySet<string>): Promise<Map<string, Recipients>> {
    const all = new Map<string, Recipients>();
    const pace = createPacer();
    for (const host of await hostsOf(userId, open, more)) {
      const found = await reaches.recipients(open, host);
      all.set(host, withheld(open.reach, userId, host, found) ? { kind: 'nobody' } : found);
      const pause = pace();
      if (pause !== undefined) await pause;
    }
    return all;
  }

  async function send(userId: string): Promise<void> {
    const isRecalled = recalled.delete(userId);
    try {
      const hosts = isRecalled ? await told.load(userId) : nowhere;
      if (hosts.size === 0) undelivered.delete(userId);
      if (isPresent(userId) || sent.hostsOf(userId).size + hosts.size > 0) await sendAll(userId, hosts);
      if (!isPresent(userId)) kept.forget(userId);
    } catch (error) {
      if (isRecalled) recalled.add(userId);
      queue.add(userId, later);
      throw error;
    }
  }

  async function sendAll(userId: string, more: ReadonlySet<string>): Promise<void> {
    const pace = createPacer();
    for (;;) {
      const open = await kept.find(userId);
      const { reach } = open;
      const planned = await plan(userId, open, more);
      const storing = isPresent(userId) ? told.add(userId, planned) : undefined;
      await storing;
      // Nobody may be told by settings of before.
      if (storing !== undefined && (await kept.find(userId)).reach !== reach) continue;
      for (const [host, recipients] of planned) {
        await servers.tell(userId, host, recipients, reach.hosts.has(host));
        const pause = pace();
        if (pause !== undefined) await pause;
      }
      return;
    }
  }

  function onMoved({ roomNid, userId }: MovedMember): void {
    if (isOwn(userId)) {
      if (isPresent(userId) || recalled.has(userId)) queue.add(userId, soon);
      return;
    }
    for (const member of rooms.heldIn(roomNid)) {
      if (!isOwn(member) || (!isPresent(member) && !kept.has(member))) continue;
      kept.moved(member, userId);
      if (isPresent(member)) queue.add(member, soon);
    }
  }

  const stop = db.onChanges((batches: readonly CommittedChanges[]) => {
    for (const { changes } of batches) {
      for (const change of changes) {
        const { kind, key } = change;
        const moved = movedMemberOf(change);
        if (moved !== undefined) onMoved(moved);
        else if (kind === 'account_data' && concerns(String(key))) queue.add(String(key), soon);
      }
    }
  });
  own.onChange((userId, cause) => queue.add(userId, cause === 'action' ? soon : later));

  async function recall(): Promise<void> {
    for await (const people of told.people()) {
      for (const userId of people) {
        recalled.add(userId);
        // Other processes may know that they are online, and say so soon.
        queue.add(userId, later);
      }
    }
  }

  let recalling: Promise<void> | undefined;
  const stopOutbox = outbox.onOpen((host) => {
    if (host === undefined) {
      recalling = Promise.all([recalling, recall()])
        .then(() => undefined)
        .catch(onFailure);
    } else for (const userId of [...undelivered.takeAt(host), ...sent.lostAt(host)]) queue.add(userId, later);
  });

  return {
    restore: recall,
    async settled() {
      await recalling;
      await queue.settled();
    },
    async close() {
      stop();
      stopOutbox();
      await recalling;
      undelivered.close();
      sent.close();
      await queue.close();
      await told.close();
    },
  };
}
