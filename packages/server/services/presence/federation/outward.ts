import { createHash } from 'node:crypto';
import type { Recipients } from '@portico/protocol/privacy/presence/recipients.ts';
import type { CommittedChanges, Database } from '@portico/storage';
import type { Outbox } from '../../federation/sender/outbox.ts';
import type { After } from '../../sync/waiting.ts';
import { createBreather } from '../in-steps.ts';
import type { Shown, ShownMemory } from '../shown-memory.ts';
import type { OwnPeople } from '../own-people.ts';
import type { PeopleRooms } from '../people-rooms.ts';
import { lookOf } from '../view.ts';
import type { AwareServers } from './aware-servers.ts';
import { lastContent, lostRecipients, pushContent } from './pushes.ts';
import type { Reach, Reaches } from './reach.ts';
import { createSendQueue } from './send-queue.ts';
import { createSentRecords } from './sent-records.ts';

/** Tells other servers who of this one is online, as far as people let them know. */
export interface Outward {
  /** These were online when the process before this one ended, and other servers may have been told. */
  restore(userIds: Iterable<string>): void;
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
  readonly outbox: Pick<Outbox, 'put'>;
  readonly aware: AwareServers;
  readonly memory: Pick<ShownMemory, 'take' | 'grew'>;
  /** Whether servers that do not know the proposal get only what all there may see. */
  readonly withholds: boolean;
  readonly now: () => number;
  readonly after: After;
  readonly onFailure: (error: unknown) => void;
};

/** What somebody does goes out soon; what time does may wait, since it may be undone. */
const soon = 200;
const later = 5000;
const type = 'm.presence';

export function createOutward(deps: Dependencies): Outward {
  const { db, isOwn, own, rooms, reaches, outbox, aware, memory, withholds, now, after, onFailure } = deps;
  const reachOf = new Map<string, Reach>();
  const moved = new Map<string, Set<string>>();
  const restored = new Set<string>();
  let lastOnes = 0;
  const sent = createSentRecords({ now, after, onRepeat: repeat });
  const queue = createSendQueue({ now, after, send, onFailure });

  const isPresent = (userId: string) => lookOf(own.known(userId)) !== '';

  /** A server that shows presence to all who share a room gets it only if all of those may see it. */
  function withheld(reach: Reach, userId: string, host: string, recipients: Recipients): boolean {
    if (!withholds || recipients.kind !== 'listed') return false;
    if (aware.knows(host, () => queue.add(userId, soon))) return false;
    return !reach.hosts.has(host) || reaches.refused(reach, host).size > 0;
  }

  /** As somebody who was shown something; no user ID looks like that. */
  const asViewer = (userId: string): Shown => ({
    userId: `servers told of ${userId}`,
    shown: new Set(sent.hostsOf(userId)),
  });

  /** The process before this one told these servers something: what it was is not known, but it must not stay. */
  async function recall(userId: string): Promise<void> {
    for (const host of await memory.take(asViewer(userId).userId)) {
      if (sent.find(userId, host) === undefined)
        sent.note(userId, host, { print: '', recipients: { kind: 'everyone' } });
    }
  }

  async function send(userId: string): Promise<void> {
    if (restored.delete(userId)) await recall(userId);
    const before = new Set(sent.hostsOf(userId));
    await sendAll(userId);
    // A server more, or none any more.
    const now = sent.hostsOf(userId);
    if (!now.isSubsetOf(before) || (now.size === 0 && before.size > 0)) memory.grew(asViewer(userId));
  }

  async function sendAll(userId: string): Promise<void> {
    if (!isPresent(userId) && sent.hostsOf(userId).size === 0) return forget(userId);
    const changes = moved.get(userId) ?? new Set();
    moved.delete(userId);
    const reach = await reaches.find(userId, reachOf.get(userId), changes);
    // Whoever comes into their rooms concerns it as long as it is kept, also while they are offline.
    if (!reachOf.has(userId)) rooms.hold(userId);
    reachOf.set(userId, reach);
    const breathe = createBreather();
    for (const host of new Set([...reaches.hosts(reach), ...sent.hostsOf(userId)])) {
      await sendTo(userId, reach, host);
      const pause = breathe();
      if (pause !== undefined) await pause;
    }
    if (!isPresent(userId)) forget(userId);
  }

  async function sendTo(userId: string, reach: Reach, host: string): Promise<void> {
    const found = await reaches.recipients(reach, host);
    const recipients: Recipients = withheld(reach, userId, host, found) ? { kind: 'nobody' } : found;
    const view = own.known(userId);
    const before = sent.find(userId, host);
    const lost = before && lostRecipients(before.recipients, recipients);
    if (lost !== undefined && lost.kind !== 'nobody') {
      // A key of its own: nothing that comes later may take its place before it has arrived.
      const key = `${type} ${userId} ${++lastOnes}`;
      outbox.put([host], { key, type, content: lastContent(userId, lost, now()), urgent: true, lasting: true });
    }
    const look = lookOf(view);
    if (recipients.kind === 'nobody' || view === undefined) return sent.drop(userId, host);
    if (look === '' && before === undefined) return;
    // A server may drop what it gets by patterns alone while it shares no room.
    const print = `${look}\n${reach.hosts.has(host)}\n${fingerprint(recipients)}`;
    if (before?.print !== print) put(userId, host, recipients, true);
    if (look === '') sent.drop(userId, host);
    else sent.note(userId, host, { print, recipients });
  }

  function put(userId: string, host: string, recipients: Recipients, urgent: boolean): void {
    const view = own.known(userId);
    if (view === undefined) return;
    const content = pushContent(userId, view, recipients, now());
    outbox.put([host], { key: `${type} ${userId}`, type, content, urgent, lasting: true });
  }

  /** Other servers take for offline whom they have not heard of for half an hour. */
  function repeat(host: string, people: ReadonlyMap<string, Recipients>): void {
    let left = people.size;
    for (const [userId, recipients] of people) put(userId, host, recipients, --left === 0);
  }

  function forget(userId: string): void {
    if (reachOf.delete(userId)) rooms.release(userId);
    moved.delete(userId);
  }

  function onMembership(key: string): void {
    const blank = key.indexOf(' ');
    const userId = key.slice(blank + 1);
    if (isOwn(userId)) {
      if (isPresent(userId)) queue.add(userId, soon);
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
        else if (kind === 'account_data' && reachOf.has(String(key))) queue.add(String(key), soon);
      }
    }
  });
  own.onChange((userId, cause) => queue.add(userId, cause === 'action' ? soon : later));

  return {
    restore(userIds) {
      for (const userId of userIds) restored.add(userId);
    },
    settled: queue.settled,
    async close() {
      stop();
      sent.close();
      await queue.close();
    },
  };
}

function fingerprint(recipients: Recipients): string {
  if (recipients.kind !== 'listed') return recipients.kind;
  return createHash('sha256').update(recipients.recipients.join('\n')).digest('base64');
}
