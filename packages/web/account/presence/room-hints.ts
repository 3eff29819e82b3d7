import { sharingLists } from '@portico/protocol/privacy/presence/sharing.ts';
import type { JsonObject } from '@portico/protocol/json/value.ts';
import type { Rooms } from '../rooms/room-book.ts';
import type { RoomInfo } from '../rooms/room-info.ts';
import { roomsIn, type SharingList } from './sharing.ts';

/** A room that counts for nothing, although it is named, since it is part of a space whose people see one anyway. */
export type DeniedInSpace = { readonly room: RoomInfo; readonly space: RoomInfo };

export function findDeniedInSpaces(content: JsonObject, { byId }: Pick<Rooms, 'byId'>): readonly DeniedInSpace[] {
  const denied = new Set(roomsIn(content, 'denied_users'));
  return roomsIn(content, 'allowed_users').flatMap((id) => {
    const space = byId.get(id);
    if (space === undefined || space.kind !== 'space') return [];
    return space.children.flatMap((child) => {
      const room = denied.has(child) ? byId.get(child) : undefined;
      return room === undefined ? [] : [{ room, space }];
    });
  });
}

/** A room of a list, in whose place there is another one that the list does not name. */
export type Upgraded = {
  readonly list: SharingList;
  readonly old: RoomInfo;
  readonly replacement: string;
  /** The room that has taken its place, if one is in it: nobody else's room counts. */
  readonly joined: RoomInfo | undefined;
};

export function findUpgraded(content: JsonObject, { byId }: Pick<Rooms, 'byId'>): readonly Upgraded[] {
  return sharingLists.flatMap((list) => {
    const named = roomsIn(content, list);
    return named.flatMap((id) => {
      const old = byId.get(id);
      const replacement = old?.replacement;
      if (old === undefined || replacement === undefined || named.includes(replacement)) return [];
      return [{ list, old, replacement, joined: byId.get(replacement) }];
    });
  });
}
