import type { Database } from '@portico/storage';
import { inSteps } from '../in-steps.ts';
import { createPacer } from '../pacer.ts';
import { createNamedRecipients, type NamedRecipients } from './named-recipients.ts';
import type { OwnPeople } from './own-people.ts';
import type { PeopleRooms } from './people-rooms.ts';
import type { Policies } from './policies.ts';
import type { RemotePeople } from './remote-people.ts';
import type { Sight } from './sight.ts';
import type { After } from '../sync/waiting.ts';
import { createTurns } from './turns.ts';
import { lookOf } from './view.ts';
import type { Viewers } from './viewers.ts';

/** What has happened to somebody that others may see. */
type Work = {
  /** Others may see them now, or no longer. */
  mayBeSeenByOthers: boolean;
  /** Rooms that they came into or left, where nothing else is the matter. */
  readonly rooms: Set<number>;
  /** Of those, the ones that they were not known to be in. */
  readonly newIn: Set<number>;
};

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

const noNames: readonly string[] = [];

export function createFanOut(deps: Dependencies): FanOut {
  const { db, serverName, isOwn, own, remote, policies, rooms, sight, viewers, after, onFailure } = deps;
  const ofOwn = createNamedRecipients();
  const ofRemote = createNamedRecipients();
  /** Those who are not offline and of whom everyone was told that might see them. */
  const held = new Set<string>();
  const versions = new Map<string, string>();
  const queue = new Map<string, Work>();
  const movedViewers = new Set<string>();
  let running: Promise<void> | undefined;
  let isClosed = false;
  const turns = createTurns({ after, onEnd: startIfNeeded });

  const namedOf = (userId: string): NamedRecipients => (isOwn(userId) ? ofOwn : ofRemote);

  function isPresent(userId: string): boolean {
    if (!isOwn(userId)) return remote.isPresent(userId);
    const view = own.known(userId);
    return view !== undefined && view.state !== 'offline';
  }

  function workFor(userId: string): Work {
    let work = queue.get(userId);
    if (work === undefined) {
      work = { mayBeSeenByOthers: false, rooms: new Set(), newIn: new Set() };
      queue.set(userId, work);
    }
    start();
    return work;
  }

  function start(): void {
    if (isClosed) return;
    running ??= run()
      .catch(onFailure)
      .finally(() => {
        running = undefined;
        startIfNeeded();
      });
  }

  function startIfNeeded(): void {
    if (movedViewers.size > 0 || findNext() !== undefined) start();
  }

  function findNext(): readonly [userId: string, work: Work] | undefined {
    return queue.entries().find(([userId]) => !turns.mustWait(userId));
  }

  async function run(): Promise<void> {
    // What happens at the same moment is told together.
    await Promise.resolve();
    const pace = createPacer();
    for (;;) {
      const next = findNext();
      const [viewer] = movedViewers;
      if (isClosed || (next === undefined && viewer === undefined)) return;
      if (viewer !== undefined) {
        movedViewers.delete(viewer);
        await lookAround(viewer);
      }
      if (next !== undefined) {
        const [userId, work] = next;
        queue.delete(userId);
        await turns.take(userId, () => tellAbout(userId, work).catch(onFailure));
      }
      await pace();
    }
  }

  /** Who may be named, by a policy or by a push. */
  async function indexNames(userId: string): Promise<void> {
    if (!isOwn(userId)) return inSteps(ofRemote.set(userId, remote.namesOf(userId), false));
    const { policy, version } = await policies.load(userId);
    versions.set(userId, version);
    if (policy.own.kind === 'malformed') return inSteps(ofOwn.delete(userId));
    const { usersByServer, globsByServer } = policy.own.allowed;
    const hasPatterns = (await inSteps(globsByServer.ofSteps(serverName, 1))).length > 0;
    await inSteps(ofOwn.set(userId, usersByServer.get(serverName) ?? noNames, hasPatterns));
  }

  async function tellAbout(userId: string, work: Work): Promise<void> {
    const pace = createPacer();
    const wasHeld = held.has(userId);
    if (isPresent(userId)) {
      if (!wasHeld) {
        held.add(userId);
        rooms.hold(userId);
      }
      await rooms.load([userId]);
      if (!wasHeld || work.mayBeSeenByOthers || !isOwn(userId)) await indexNames(userId);
    }
    const isNew = !wasHeld || work.mayBeSeenByOthers || !isOwn(userId);
    for (const recipient of recipientsOf(userId, work, isNew)) {
      const viewer = viewers.get(recipient);
      if (viewer !== undefined) {
        const seen = sight.look(userId, recipient);
        viewers.tell(viewer, userId, lookOf(seen instanceof Promise ? await seen : seen));
      }
      const pause = pace();
      if (pause !== undefined) await pause;
    }
    introduce(userId, work);
    if (held.has(userId) && !isPresent(userId)) {
      held.delete(userId);
      await inSteps(namedOf(userId).delete(userId));
      versions.delete(userId);
      rooms.release(userId);
    }
  }

  /** Those in a room are shown anew who comes in, also where they know: clients expect it with the join. */
  function introduce(userId: string, { newIn }: Work): void {
    for (const roomNid of newIn) {
      if (rooms.known(userId)?.has(roomNid) !== true) continue;
      for (const recipient of rooms.heldIn(roomNid)) {
        const viewer = recipient === userId ? undefined : viewers.get(recipient);
        if (viewer !== undefined) viewers.introduce(viewer, userId);
      }
    }
  }

  function* recipientsOf(userId: string, work: Work, isNew: boolean): Generator<string, void, void> {
    yield* Array.from(viewers.audienceOf(userId));
    if (!held.has(userId)) return;
    const nids = isNew ? (rooms.known(userId)?.keys() ?? []) : work.rooms;
    for (const roomNid of Array.from(nids)) yield* Array.from(rooms.heldIn(roomNid));
    if (!isNew) return;
    // Their other devices, in whichever rooms they are.
    yield userId;
    yield* namedOf(userId).namesOf(userId);
    if (namedOf(userId).hasPatterns(userId)) for (const { userId: viewer } of Array.from(viewers.all())) yield viewer;
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
    const { version } = await policies.load(userId);
    if (versions.get(userId) !== version) workFor(userId).mayBeSeenByOthers = true;
  }

  async function settled(): Promise<void> {
    for (let work = running; work !== undefined; work = running) await work;
    await turns.settled();
    // What went on by itself may have had others wait for it.
    if (running !== undefined) await settled();
  }

  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind === 'account_data') settingsChanged(String(key)).catch(onFailure);
        if (kind !== 'membership' || typeof key !== 'string') continue;
        const blank = key.indexOf(' ');
        const userId = key.slice(blank + 1);
        const isViewer = viewers.get(userId) !== undefined;
        if (!isViewer && !held.has(userId)) continue;
        if (isViewer) movedViewers.add(userId);
        const roomNid = Number(key.slice(0, blank));
        const work = workFor(userId);
        work.rooms.add(roomNid);
        if (held.has(userId) && !rooms.heldIn(roomNid).has(userId)) work.newIn.add(roomNid);
      }
    }
  });
  own.onChange((userId) => {
    workFor(userId);
  });
  remote.onChange((userId) => {
    workFor(userId);
  });

  return {
    isPresent,
    candidatesFor(recipient) {
      const found = new Set<string>();
      for (const roomNid of rooms.known(recipient)?.keys() ?? []) {
        for (const userId of rooms.heldIn(roomNid)) if (held.has(userId)) found.add(userId);
      }
      for (const named of [ofOwn, ofRemote]) for (const userId of named.naming(recipient)) found.add(userId);
      for (const userId of ofOwn.withPatterns) found.add(userId);
      found.add(recipient);
      return found;
    },
    settled,
    async close() {
      isClosed = true;
      stop();
      await running;
      await turns.settled();
    },
  };
}
