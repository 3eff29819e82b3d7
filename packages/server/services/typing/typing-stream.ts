import { passesEventFilter, passesRooms } from '@portico/protocol/sync-filter/event-filter.ts';
import type { Filter } from '@portico/protocol/sync-filter/filter.ts';
import type { IgnoredUsers } from '../reading/ignored-users.ts';
import type { OnlineIndex } from '../sync/online-index.ts';
import type { RoomParts, StreamRequest, SyncStream } from '../sync/streams.ts';
import type { Typing } from './typing.ts';

const typingType = 'm.typing';

type Dependencies = {
  readonly typing: Typing;
  /** Distinguishes this process from others, and from those before it: their serials mean nothing here. */
  readonly epoch: string;
  readonly ignored: Pick<IgnoredUsers, 'of' | 'known'>;
  readonly online: () => OnlineIndex;
};

/** Who is typing, in the rooms where that changed; in a room that comes into view, if anybody is. */
export function createTypingStream({ typing, epoch, ignored, online }: Dependencies): SyncStream {
  const prefix = `${epoch}.`;

  function parse(serial: string | undefined): number {
    if (serial?.startsWith(prefix) !== true) return 0;
    const known = Number(serial.slice(prefix.length));
    return Number.isSafeInteger(known) ? known : 0;
  }

  function roomEvent(users: readonly string[]): string {
    return `{"content":{"user_ids":${JSON.stringify(users)}},"type":"${typingType}"}`;
  }

  function isWanted({ room: { ephemeral } }: Filter): boolean {
    return passesEventFilter(ephemeral, { type: typingType, sender: undefined });
  }

  function passes({ filter }: StreamRequest, roomId: string): boolean {
    return passesRooms(filter.room.ephemeral, roomId) && isWanted(filter);
  }

  function isPending(userId: string, serial: string | undefined): boolean {
    const known = parse(serial);
    if (known >= typing.serial()) return false;
    const rooms = online().users.get(userId)?.rooms;
    if (rooms === undefined) return false;
    for (const [roomNid] of typing.changedSince(known)) {
      if (rooms.get(roomNid)?.membership === 'join') return true;
    }
    return false;
  }

  function isDue(userId: string, serial: string | undefined): boolean {
    const user = online().users.get(userId);
    return user !== undefined && online().ephemeral.isDue(user) && isPending(userId, serial);
  }

  typing.onRoomChange((roomNid, typists) => {
    online().wakeRoomForEphemeral(roomNid, (userId) => {
      const ignoredUsers = ignored.known(userId);
      return ignoredUsers === undefined || typists.some((typist) => !ignoredUsers.has(typist));
    });
  });

  return {
    name: 'typing',
    isEphemeral: true,
    kinds: new Map(),
    serial: {
      letter: 't',
      current: () => `${prefix}${typing.serial()}`,
      isPending,
      isDue,
      isWanted,
    },
    async read(request) {
      const { userId, serial, since, newRooms, returningRooms, allRooms } = request;
      const known = since === undefined ? 0 : parse(serial);
      const joined = allRooms();
      const changed = new Set(newRooms);
      for (const [roomNid] of typing.changedSince(known)) if (joined.has(roomNid)) changed.add(roomNid);
      const parts = new Map<number, RoomParts>();
      for (const roomNid of changed) {
        const users = typing.typingIn(roomNid);
        // Where the client may still show somebody who was typing, it has to hear that nobody is.
        const mayShow = returningRooms?.has(roomNid) === true && typing.hasChanged(roomNid);
        const isNew = (known === 0 || newRooms.has(roomNid)) && !mayShow;
        if ((isNew && users.length === 0) || !passes(request, joined.get(roomNid) ?? '')) continue;
        const ignoredUsers = users.length === 0 ? undefined : await ignored.of(userId);
        const shown = ignoredUsers === undefined ? users : users.filter((user) => !ignoredUsers.has(user));
        if (!isNew || shown.length > 0) parts.set(roomNid, { ephemeral: [roomEvent(shown)] });
      }
      return { rooms: parts };
    },
  };
}
