import { findMembership } from '@portico/storage/stores/rooms/memberships-read.ts';
import { movedMemberOf } from '@portico/storage/stores/rooms/moved-member.ts';
import type { Database } from '@portico/storage';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomNames } from '../reading/room-names.ts';
import { type After, realTimers } from '../sync/waiting.ts';

/** Somebody begins or ends typing; for other servers. */
export type TypingChange = {
  readonly roomNid: number;
  readonly roomId: string;
  readonly userId: string;
  readonly typing: boolean;
  /** When it ends by itself, in milliseconds. */
  readonly until: number;
};

/** Who is typing where. Lives in memory, and is lost with the process. */
export interface Typing {
  /** What a client of this server says about its user. `timeout` is in milliseconds. */
  set(userId: string, roomId: string, typing: boolean, timeout: number | undefined): Promise<void>;
  /** What another server says about a user of its own, who must have been found to be in the room. */
  receive(roomNid: number, userId: string, typing: boolean): void;
  /** What another process of this server was told about a user of this server, who is in the room. */
  follow(change: TypingChange): void;
  /** Calls back when the list of a room changes, with those who come to it or go. */
  onRoomChange(listener: (roomNid: number, typists: readonly string[]) => void): void;
  /** Calls back when a user of this server begins or ends typing, at any of its processes, or goes on for long: what other servers are to hear. */
  onLocalChange(listener: (change: TypingChange) => void): void;
  /** Grows with every change, of any room. */
  readonly serial: () => number;
  /** Rooms whose list changed after a serial, with that of their last change. */
  changedSince(serial: number): Iterable<readonly [roomNid: number, serial: number]>;
  /** Whether anybody has typed there, as far as that is remembered. */
  hasChanged(roomNid: number): boolean;
  /** In the order in which they began. */
  typingIn(roomNid: number): readonly string[];
  close(): void;
}

type Dependencies = {
  readonly db: Database;
  readonly roomNames: RoomNames;
  readonly now: () => number;
  readonly after?: After;
};

/** Of another server there is no `roomId`. `isOwn`: it was this process that was told, and will tell of the end. */
type Typist = { until: number; readonly roomId: string | undefined; readonly isOwn: boolean };
type TypingRoom = { readonly users: Map<string, Typist>; serial: number };

const defaultTimeout = 30_000;
const maxTimeout = 120_000;
/** Rooms that are remembered, those where nobody is typing any more included. */
const maxRooms = 10_000;
const maxPerRoom = 200;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#typing-notifications} */
export function createTyping({ db, roomNames, now, after = realTimers }: Dependencies): Typing {
  /** The room that changed last comes last. */
  const rooms = new Map<number, TypingRoom>();
  const roomListeners: ((roomNid: number, typists: readonly string[]) => void)[] = [];
  const localListeners: ((change: TypingChange) => void)[] = [];
  // 0 is what is made of a token that another process gave.
  let serial = 1;
  let stopTimer: (() => void) | undefined;
  let timerAt = Infinity;

  function changed(roomNid: number, room: TypingRoom, typists: readonly string[]): void {
    room.serial = ++serial;
    rooms.delete(roomNid);
    rooms.set(roomNid, room);
    if (rooms.size > maxRooms) {
      const [oldest] = rooms.keys();
      if (oldest !== undefined) rooms.delete(oldest);
    }
    for (const listener of roomListeners) listener(roomNid, typists);
  }

  /** `tells`: whether this process tells of the end; otherwise it does where it was told of the beginning. */
  function stop(roomNid: number, room: TypingRoom, userId: string, tells?: boolean): boolean {
    const typist = room.users.get(userId);
    if (typist === undefined) return false;
    room.users.delete(userId);
    if (tells ?? typist.isOwn) tellOthers(roomNid, typist, userId, false);
    return true;
  }

  function tellOthers(roomNid: number, { roomId, until }: Typist, userId: string, typing: boolean): void {
    if (roomId === undefined) return;
    for (const listener of localListeners) listener({ roomNid, roomId, userId, typing, until });
  }

  function watch(until: number): void {
    if (until >= timerAt) return;
    stopTimer?.();
    timerAt = until;
    stopTimer = after(Math.max(until - now(), 0), expire);
  }

  function expire(): void {
    timerAt = Infinity;
    stopTimer = undefined;
    const at = now();
    let next = Infinity;
    for (const [roomNid, room] of Array.from(rooms)) {
      const ended: string[] = [];
      for (const [userId, { until }] of room.users) {
        if (until > at) next = Math.min(next, until);
        else if (stop(roomNid, room, userId)) ended.push(userId);
      }
      if (ended.length > 0) changed(roomNid, room, ended);
    }
    if (next !== Infinity) watch(next);
  }

  function start(roomNid: number, userId: string, typist: Typist): void {
    const room = rooms.get(roomNid) ?? { users: new Map<string, Typist>(), serial: 0 };
    const known = room.users.get(userId);
    if (known !== undefined) known.until = typist.until;
    else if (room.users.size < maxPerRoom) {
      room.users.set(userId, typist);
      changed(roomNid, room, [userId]);
    }
    if (typist.isOwn) tellOthers(roomNid, typist, userId, true);
    watch(typist.until);
  }

  function end(roomNid: number, userId: string, tells?: boolean): void {
    const room = rooms.get(roomNid);
    if (room !== undefined && stop(roomNid, room, userId, tells)) changed(roomNid, room, [userId]);
  }

  // Whoever leaves has stopped typing; somebody who changes their name will say again that they type.
  const stopListening = db.onChanges((batches) => {
    if (rooms.size === 0) return;
    for (const { changes } of batches) {
      for (const change of changes) {
        const moved = movedMemberOf(change);
        if (moved !== undefined) end(moved.roomNid, moved.userId);
      }
    }
  });

  return {
    serial: () => serial,
    onRoomChange: (listener) => void roomListeners.push(listener),
    onLocalChange: (listener) => void localListeners.push(listener),
    async set(userId, roomId, typing, timeout = defaultTimeout) {
      const roomNid = await roomNames.find(roomId);
      const row = roomNid === undefined ? undefined : await findMembership(db, roomNid, userId);
      if (roomNid === undefined || row?.membership !== 'join') {
        throw new MatrixError('forbidden', { message: 'You are not in this room.' });
      }
      const until = now() + Math.min(Math.max(timeout, 0), maxTimeout);
      if (!typing) end(roomNid, userId, true);
      else start(roomNid, userId, { until, roomId, isOwn: true });
    },
    receive(roomNid, userId, typing) {
      if (!typing) end(roomNid, userId);
      else start(roomNid, userId, { until: now() + defaultTimeout, roomId: undefined, isOwn: false });
    },
    follow({ roomNid, roomId, userId, typing, until }) {
      if (!typing) end(roomNid, userId, false);
      else start(roomNid, userId, { until, roomId, isOwn: false });
    },
    *changedSince(since) {
      for (const [roomNid, room] of rooms) if (room.serial > since) yield [roomNid, room.serial];
    },
    hasChanged: (roomNid) => rooms.has(roomNid),
    typingIn: (roomNid) => [...(rooms.get(roomNid)?.users.keys() ?? [])],
    close() {
      stopTimer?.();
      stopListening();
    },
  };
}
