import type { Database } from '@portico/storage';
import { movedMemberOf } from '@portico/storage/stores/rooms/moved-member.ts';
import { createPacer } from '../pacer.ts';
import { createFanOutQueue, type Happened } from './fan-out-queue.ts';
import { createNamedPeople } from './named-people.ts';
import type { OwnPeople } from './own-people.ts';
import type { PeopleRooms } from './people-rooms.ts';
import type { Policies } from './policies.ts';
import type { RemotePeople } from './remote-people.ts';
import type { Sight } from './sight.ts';
import type { After } from '../sync/waiting.ts';
import { lookOf } from './view.ts';
import type { Viewers } from './viewers.ts';

/** Tells those who are online and permitted, and nobody else, when something changes. */
export interface FanOut {
  /** Everybody online whom somebody may possibly see. */
  candidatesFor(recipient: string): Set<string>;
  isPresent(userId: string): boolean;
  /** Resolves when what has happened so far has been told. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  readonly isOwn: (userId: string) => boolean;
  readonly own: OwnPeople;
  readonly remote: RemotePeople;
  readonly policies: Policies;
  readonly rooms: PeopleRooms;
  readonly sight: Sight;
  readonly viewers: Viewers;
  readonly after: After;
  readonly onFailure: (error: unknown) => void;
};

export function createFanOut(deps: Dependencies): FanOut {
  const { db, serverName, isOwn, own, remote, policies, rooms, sight, viewers, after, onFailure } = deps;
  const named = createNamedPeople({ serverName, isOwn, remote, policies });
  /** Those who are not offline and of whom everyone was told that might see them. */
  const held = new Set<string>();
  const queue = createFanOutQueue({ after, tellAbout, lookAround, onFailure });

  function isPresent(userId: string): boolean {
    if (!isOwn(userId)) return remote.isPresent(userId);
    const view = own.known(userId);
    return view !== undefined && view.state !== 'offline';
  }

  async function tellAbout(userId: string, happened: Happened): Promise<void> {
    const pace = createPacer();
    const wasHeld = held.has(userId);
    if (isPresent(userId)) {
      if (!wasHeld) {
        held.add(userId);
        rooms.hold(userId);
      }
      await rooms.load([userId]);
      if (!wasHeld || happened.mayBeSeenByOthers || !isOwn(userId)) await named.index(userId);
    }
    const isNew = !wasHeld || happened.mayBeSeenByOthers || !isOwn(userId);
    for (const recipient of recipientsOf(userId, happened, isNew)) {
      const viewer = viewers.get(recipient);
      if (viewer !== undefined) {
        const seen = sight.look(userId, recipient);
        viewers.tell(viewer, userId, lookOf(seen instanceof Promise ? await seen : seen));
      }
      const pause = pace();
      if (pause !== undefined) await pause;
    }
    introduce(userId, happened);
    if (held.has(userId) && !isPresent(userId)) {
      held.delete(userId);
      await named.drop(userId);
      rooms.release(userId);
    }
  }

  /** Those in a room are shown anew who comes in, also where they know: clients expect it with the join. */
  function introduce(userId: string, { newIn }: Happened): void {
    for (const roomNid of newIn) {
      if (rooms.known(userId)?.has(roomNid) !== true) continue;
      for (const recipient of rooms.heldIn(roomNid)) {
        const viewer = recipient === userId ? undefined : viewers.get(recipient);
        if (viewer !== undefined) viewers.introduce(viewer, userId);
      }
    }
  }

  function* recipientsOf(userId: string, happened: Happened, isNew: boolean): Generator<string, void, void> {
    yield* Array.from(viewers.audienceOf(userId));
    if (!held.has(userId)) return;
    const nids = isNew ? (rooms.known(userId)?.keys() ?? []) : happened.rooms;
    for (const roomNid of Array.from(nids)) yield* Array.from(rooms.heldIn(roomNid));
    if (!isNew) return;
    // Their other devices, in whichever rooms they are.
    yield userId;
    yield* named.namesOf(userId);
    if (named.hasPatterns(userId)) for (const { userId: viewer } of Array.from(viewers.all())) yield viewer;
  }

  /** Whoever leaves a room may have lost sight of those in it. */
  async function lookAround(recipient: string): Promise<void> {
    const viewer = viewers.get(recipient);
    if (viewer === undefined) return;
    await rooms.load([recipient]);
    for (const [userId, look] of Array.from(viewer.shown)) {
      if (look !== '') viewers.tell(viewer, userId, lookOf(await sight.look(userId, recipient)));
    }
  }

  async function settingsChanged(userId: string): Promise<void> {
    policies.forget(userId);
    if (!held.has(userId)) return;
    if (await named.isOutdated(userId)) queue.add(userId).mayBeSeenByOthers = true;
  }

  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const change of changes) {
        if (change.kind === 'account_data') settingsChanged(String(change.key)).catch(onFailure);
        const moved = movedMemberOf(change);
        if (moved === undefined) continue;
        const { roomNid, userId } = moved;
        const isViewer = viewers.get(userId) !== undefined;
        if (!isViewer && !held.has(userId)) continue;
        if (isViewer) queue.moved(userId);
        const happened = queue.add(userId);
        happened.rooms.add(roomNid);
        if (held.has(userId) && !rooms.heldIn(roomNid).has(userId)) happened.newIn.add(roomNid);
      }
    }
  });
  own.onChange((userId) => {
    queue.add(userId);
  });
  remote.onChange((userId) => {
    queue.add(userId);
  });

  return {
    isPresent,
    candidatesFor(recipient) {
      const found = new Set<string>();
      for (const roomNid of rooms.known(recipient)?.keys() ?? []) {
        for (const userId of rooms.heldIn(roomNid)) if (held.has(userId)) found.add(userId);
      }
      for (const userId of named.whomMaySee(recipient)) found.add(userId);
      found.add(recipient);
      return found;
    },
    settled: queue.settled,
    async close() {
      stop();
      await queue.close();
    },
  };
}
