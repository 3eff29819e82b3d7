import { lostSteps, type Recipients } from '@portico/protocol/privacy/presence/recipients.ts';
import type { CommittedChanges, Database } from '@portico/storage';
import type { JsonObject } from '@portico/protocol';
import type { Outbox, OutboxEntry } from '../../federation/sender/outbox.ts';
import type { After } from '../../sync/waiting.ts';
import { runSteps } from '@portico/protocol/steps.ts';
import { inSteps } from '../../in-steps.ts';
import { createPacer } from '../../pacer.ts';
import type { OwnPeople } from '../own-people.ts';
import type { PeopleRooms } from '../people-rooms.ts';
import { lookOf, nothingToSee, type PresenceView } from '../view.ts';
import type { AwareServers } from './aware-servers.ts';
import { lastContent, pushContent } from './pushes.ts';
import type { OpenReach, Reach, Reaches } from './reach.ts';
import { createSendQueue } from './send-queue.ts';
import { createSentRecords } from './sent-records.ts';
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
const type = 'm.presence';

export function createOutward(deps: Dependencies): Outward {
  const { db, isOwn, own, rooms, reaches, outbox, aware, withholds, now, after, onFailure } = deps;
  const reachOf = new Map<string, Reach>();
  const moved = new Map<string, Set<string>>();
  /** Of whom others were told what this process does not remember: it is looked up when there is something to tell. */
  const recalled = new Set<string>();
  let lastOnes = 0;
  const sent = createSentRecords({ now, after, onRepeat: repeat });
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

  const isPresent = (userId: string) => lookOf(own.known(userId)) !== '';
  const concerns = (userId: string) => reachOf.has(userId) || recalled.has(userId);

  /** A server that shows presence to all who share a room gets it only if all of those may see it. */
  function withheld(reach: Reach, userId: string, host: string, recipients: Recipients): boolean {
    if (!withholds || recipients.kind !== 'listed') return false;
    if (aware.knows(host, () => queue.add(userId, soon))) return false;
    return !reach.hosts.has(host) || reaches.refused(reach, host).size > 0;
  }

  async function findReach(userId: string): Promise<OpenReach> {
    const changes = moved.get(userId) ?? new Set();
    moved.delete(userId);
    const before = reachOf.get(userId);
    const open = await reaches.find(userId, before, changes);
    // Whoever comes into their rooms concerns it as long as it is kept, also while they are offline.
    if (before === undefined) rooms.hold(userId);
    reachOf.set(userId, open.reach);
    return open;
  }

  /** Who is to be told of somebody, of each server. */
  async function plan(userId: string, open: OpenReach, more: ReadonlySet<string>): Promise<Map<string, Recipients>> {
    const all = new Map<string, Recipients>();
    const pace = createPacer();
    for (const host of new Set([...reaches.hosts(open), ...sent.hostsOf(userId), ...more])) {
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
      if (!isPresent(userId)) forget(userId);
    } catch (error) {
      if (isRecalled) recalled.add(userId);
      queue.add(userId, later);
      throw error;
    }
  }

  async function sendAll(userId: string, more: ReadonlySet<string>): Promise<void> {
    const pace = createPacer();
    for (;;) {
      const open = await findReach(userId);
      const { reach } = open;
      const planned = await plan(userId, open, more);
      const storing = isPresent(userId) ? told.add(userId, planned) : undefined;
      await storing;
      // Nobody may be told by settings of before.
      if (storing !== undefined && (await findReach(userId)).reach !== reach) continue;
      for (const [host, recipients] of planned) {
        await sendTo(userId, host, recipients, reach);
        const pause = pace();
        if (pause !== undefined) await pause;
      }
      return;
    }
  }

  /** What takes time is worked out first: what is put belongs together. */
  async function sendTo(userId: string, host: string, recipients: Recipients, reach: Reach): Promise<void> {
    const before = sent.find(userId, host);
    // Also those who are still to be told that it is over: what is told now may take the place of that.
    const toldBefore = before ? [before.recipients, ...told.forgotten(userId, host)] : told.known(userId, host);
    const lost: (readonly [Recipients, (hasArrived: boolean) => void])[] = [];
    for (const each of toldBefore) {
      const some = await inSteps(lostSteps(each, recipients));
      if (some.kind !== 'nobody') lost.push([some, await inSteps(told.over(userId, host, some))]);
    }
    for (const [some, done] of lost) takeBack(userId, host, some, done);
    const view = own.known(userId);
    const look = lookOf(view);
    if (look === '' && toldBefore.length > 0 && recipients.kind !== 'nobody') {
      const content = pushContent(userId, view ?? nothingToSee, recipients, now());
      put(userId, host, content, { urgent: true, weighty: true, done: runSteps(told.over(userId, host, 'all')) });
    }
    if (look === '' || view === undefined || recipients.kind === 'nobody') return sent.drop(userId, host);
    // A server may drop what it gets by patterns alone while it shares no room.
    const print = `${look}\n${reach.hosts.has(host)}`;
    const isForSame = before !== undefined && lost.length === 0 && areAsMany(before.recipients, recipients);
    sent.note(userId, host, { print, recipients });
    if (before?.print !== print || !isForSame) say(userId, host, view, recipients, true);
  }

  /** If it does not arrive, it is said again once it can. */
  function say(userId: string, host: string, view: PresenceView, recipients: Recipients, urgent: boolean): void {
    const done = (hasArrived: boolean): void => {
      if (!hasArrived) sent.lost(userId, host);
    };
    put(userId, host, pushContent(userId, view, recipients, now()), { urgent, done });
  }

  function put(
    userId: string,
    host: string,
    content: JsonObject,
    how: Pick<OutboxEntry, 'urgent' | 'weighty' | 'done'> & { readonly key?: string },
  ): void {
    outbox.put([host], { key: `${type} ${userId}`, type, content, lasting: true, ...how });
  }

  function takeBack(userId: string, host: string, lost: Recipients, done: (hasArrived: boolean) => void): void {
    // A key of its own: nothing that comes later may take its place before it has arrived.
    const key = `${type} ${userId} ${++lastOnes}`;
    put(userId, host, lastContent(userId, lost, now()), { key, urgent: true, weighty: true, done });
  }

  /** Other servers take for offline whom they have not heard of for half an hour. */
  function repeat(host: string, people: ReadonlyMap<string, Recipients>): void {
    let left = people.size;
    for (const [userId, recipients] of people) {
      left -= 1;
      const view = own.known(userId);
      if (view !== undefined) say(userId, host, view, recipients, left === 0);
    }
  }

  function forget(userId: string): void {
    if (reachOf.delete(userId)) rooms.release(userId);
    moved.delete(userId);
  }

  function onMembership(key: string): void {
    const blank = key.indexOf(' ');
    const userId = key.slice(blank + 1);
    if (isOwn(userId)) {
      if (isPresent(userId) || recalled.has(userId)) queue.add(userId, soon);
      return;
    }
    for (const member of rooms.heldIn(Number(key.slice(0, blank)))) {
      if (!isOwn(member) || (!isPresent(member) && !reachOf.has(member))) continue;
      const others = moved.get(member);
      if (others === undefined) moved.set(member, new Set([userId]));
      else others.add(userId);
      if (isPresent(member)) queue.add(member, soon);
    }
  }

  const stop = db.onChanges((batches: readonly CommittedChanges[]) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind === 'membership' && typeof key === 'string') onMembership(key);
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

function areAsMany(one: Recipients, other: Recipients): boolean {
  if (one.kind !== 'listed' || other.kind !== 'listed') return one.kind === other.kind;
  return one.recipients.length === other.recipients.length;
}
