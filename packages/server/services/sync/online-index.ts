import type { CommittedChanges, Database } from '@portico/storage';
import { movedMemberOf, type MovedMember } from '@portico/storage/stores/rooms/moved-member.ts';
import { createEphemeralPauses, type EphemeralPauses, type Pausing } from './ephemeral-pauses.ts';
import type { LazyMemory } from './lazy-memory.ts';
import { realTimers, type After } from './waiting.ts';

/** A room with joined people who are online. */
export type OnlineRoom = {
  readonly nid: number;
  readonly id: string;
  readonly users: Set<OnlineUser>;
  /** Positions at which events were added, ascending, the last few. Never empty. */
  readonly history: number[];
  /** When the room last got an event, for sorting. */
  activity: number;
  /** From this position on, `streams` is complete. */
  readonly knownSince: number;
  /** When each kind of change of the room's other streams was last seen. */
  readonly streams: Map<string, number>;
};

/** A room that somebody is in, is invited to or knocks at. */
export type UserRoom = {
  readonly room: OnlineRoom | undefined;
  readonly nid: number;
  readonly id: string;
  readonly membership: string;
  readonly eventNid: number;
  readonly order: number;
  readonly position: number;
};

export type OnlineUser = Pausing & {
  readonly userId: string;
  readonly rooms: Map<number, UserRoom>;
  /** Memberships are known up to here; -1 before the first load. */
  loadedTo: number;
  /** When a membership of theirs last changed. */
  membershipPosition: number;
  /** When anything that concerns them last changed, but for ephemeral events. */
  lastChange: number;
  lastEphemeral: number;
  /** From this position on, `lastChange`, `lastEphemeral` and `streams` are complete. */
  knownSince: number;
  readonly streams: Map<string, number>;
  readonly waiters: Set<() => void>;
  lastSeen: number;
  readonly devices: Map<string, LazyMemory>;
  loading: Promise<void> | undefined;
};

export interface OnlineIndex {
  readonly users: ReadonlyMap<string, OnlineUser>;
  readonly rooms: ReadonlyMap<number, OnlineRoom>;
  /** The user's entry, made if there is none, with everything that is known about their rooms still to be loaded. */
  touch(userId: string): OnlineUser;
  enterRoom(user: OnlineUser, nid: number, id: string, lastPosition: number, activity?: number): OnlineRoom;
  leaveRoom(user: OnlineUser, nid: number): void;
  /** Wakes long polls of a user at the end of the tick. */
  wakeUser(userId: string): void;
  /** Whether long polls of a user are woken at the end of this tick. */
  isWaking(userId: string): boolean;
  /**
   * Wakes, for an ephemeral event, those of the people online in a room whom it concerns: at the end of the tick, or when their
   * pause is over.
   */
  wakeRoomForEphemeral(roomNid: number, concerns: (userId: string) => boolean): void;
  /** Whether ephemeral events are reason enough to answer somebody now; that they are being answered, and that there was nothing. */
  readonly ephemeral: Pick<EphemeralPauses<OnlineUser>, 'isDue' | 'begin' | 'revoke'>;
  /** Resolves once the changes up to `position` have come in, or when `signal` says that it takes too long. */
  reached(position: number, signal?: AbortSignal): Promise<void>;
  close(): void;
}

type Options = {
  readonly db: Database;
  readonly now: () => number;
  readonly userKinds: ReadonlySet<string>;
  readonly roomKinds: ReadonlySet<string>;
  /** Those of them that stand for ephemeral events. */
  readonly ephemeralKinds?: ReadonlySet<string>;
  readonly after?: After;
  readonly maxUsers: number;
  /** Who has not synced for that many milliseconds is offline. */
  readonly keepFor?: number;
};

/** The kind of change that a user makes who forgets a room: it may have been among those that they were removed from. */
export const forgottenKind = 'forgotten';

const historyLength = 32;

export function createOnlineIndex(options: Options): OnlineIndex {
  const { db, now, userKinds, roomKinds, ephemeralKinds = new Set(), maxUsers, keepFor = 5 * 60_000 } = options;
  const users = new Map<string, OnlineUser>();
  const rooms = new Map<number, OnlineRoom>();
  const waking = new Set<OnlineUser>();
  const pauses = createEphemeralPauses<OnlineUser>({
    now,
    after: options.after ?? realTimers,
    wake,
    isWaking: (user) => waking.has(user),
  });
  const arrivals = new Set<{ readonly position: number; readonly resolve: () => void }>();
  let nextSweep = 0;

  function wake(user: OnlineUser): void {
    if (user.waiters.size === 0) return;
    if (waking.size === 0) setImmediate(wakeAll);
    waking.add(user);
  }

  function wakeAll(): void {
    const users = [...waking];
    waking.clear();
    for (const { waiters } of users) for (const waiter of waiters) waiter();
  }

  function changed(user: OnlineUser, position: number): void {
    user.lastChange = position;
    wake(user);
  }

  function ephemeralChanged(user: OnlineUser, position: number): void {
    user.lastEphemeral = position;
    pauses.tell(user);
  }

  function roomChanged(room: OnlineRoom, kind: string, position: number): void {
    if (kind === 'room') addToHistory(room, position);
    else room.streams.set(kind, position);
    const tell = ephemeralKinds.has(kind) ? ephemeralChanged : changed;
    for (const user of room.users) tell(user, position);
  }

  function membershipChanged({ roomNid, userId }: MovedMember, position: number): void {
    rooms.get(roomNid)?.streams.set('membership', position);
    const user = users.get(userId);
    if (user === undefined) return;
    user.membershipPosition = position;
    user.streams.set('own_membership', position);
    changed(user, position);
  }

  function onChanges(batches: readonly CommittedChanges[]): void {
    for (const { position, changes } of batches) {
      for (const change of changes) {
        const { kind, key } = change;
        const moved = movedMemberOf(change);
        if (moved !== undefined) membershipChanged(moved, position);
        else if (kind === 'room' || roomKinds.has(kind)) {
          const room = rooms.get(Number(key));
          if (room !== undefined) roomChanged(room, kind, position);
        } else if (kind === forgottenKind || userKinds.has(kind)) {
          const user = users.get(String(key));
          if (user === undefined) continue;
          user.streams.set(kind, position);
          changed(user, position);
        }
      }
    }
    if (arrivals.size === 0) return;
    const position = db.currentPosition();
    for (const arrival of arrivals) if (arrival.position <= position) arrival.resolve();
  }

  function forget(user: OnlineUser): void {
    users.delete(user.userId);
    for (const nid of user.rooms.keys()) leave(user, nid);
  }

  function leave(user: OnlineUser, nid: number): void {
    const room = rooms.get(nid);
    if (room === undefined || !room.users.delete(user)) return;
    if (room.users.size === 0) rooms.delete(nid);
  }

  function isIdle(user: OnlineUser): boolean {
    return user.waiters.size === 0 && user.loading === undefined;
  }

  /** Users are in the order of their last request, so those who have gone come first. */
  function sweep(at: number): void {
    if (at >= nextSweep) {
      nextSweep = at + 30_000;
      for (const user of users.values()) {
        if (at - user.lastSeen <= keepFor) break;
        if (isIdle(user)) forget(user);
      }
    }
    if (users.size <= maxUsers) return;
    for (const user of users.values()) {
      if (isIdle(user)) forget(user);
      if (users.size <= maxUsers) return;
    }
  }

  const stop = db.onChanges(onChanges);
  return {
    users,
    rooms,
    touch(userId) {
      const at = now();
      let user = users.get(userId);
      if (user === undefined) {
        sweep(at);
        user = {
          userId,
          rooms: new Map(),
          loadedTo: -1,
          membershipPosition: 0,
          lastChange: 0,
          lastEphemeral: 0,
          pausedUntil: 0,
          knownSince: db.currentPosition(),
          streams: new Map(),
          waiters: new Set(),
          lastSeen: at,
          devices: new Map(),
          loading: undefined,
        };
      } else users.delete(userId);
      user.lastSeen = at;
      users.set(userId, user);
      return user;
    },
    enterRoom(user, nid, id, lastPosition, activity = lastPosition) {
      let room = rooms.get(nid);
      if (room === undefined) {
        const knownSince = db.currentPosition();
        room = { nid, id, users: new Set(), history: [lastPosition], activity, knownSince, streams: new Map() };
        rooms.set(nid, room);
      }
      room.users.add(user);
      return room;
    },
    leaveRoom: leave,
    wakeUser(userId) {
      const user = users.get(userId);
      if (user !== undefined) wake(user);
    },
    isWaking(userId) {
      const user = users.get(userId);
      return user !== undefined && waking.has(user);
    },
    wakeRoomForEphemeral(roomNid, concerns) {
      for (const user of rooms.get(roomNid)?.users ?? []) if (concerns(user.userId)) pauses.tell(user);
    },
    ephemeral: pauses,
    reached(position, signal) {
      if (db.currentPosition() >= position || signal?.aborted === true) return Promise.resolve();
      return new Promise((resolve) => {
        const arrival = {
          position,
          resolve: () => {
            arrivals.delete(arrival);
            signal?.removeEventListener('abort', arrival.resolve);
            resolve();
          },
        };
        signal?.addEventListener('abort', arrival.resolve);
        arrivals.add(arrival);
      });
    },
    close() {
      stop();
      pauses.close();
    },
  };
}

function addToHistory(room: OnlineRoom, position: number): void {
  const { history } = room;
  room.activity = Math.max(room.activity, position);
  if (lastPositionOf(history) >= position) return;
  if (history.length === historyLength) history.splice(0, historyLength / 2);
  history.push(position);
}

/** When the room last got an event, or may have. */
export function lastPositionOf(history: readonly number[]): number {
  return history[history.length - 1] ?? Infinity;
}

/** The last position up to `position` at which the room got an event: for what is in the timeline they are the same. */
export function normalPosition(history: readonly number[], position: number): number {
  for (let index = history.length - 1; index >= 0; index--) {
    const known = history[index];
    if (known !== undefined && known <= position) return known;
  }
  return position;
}
