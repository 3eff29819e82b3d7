import { findRoomVersion, isJsonObject, type JsonObject, type JsonValue, takesKnocks } from '@portico/protocol';
import { allowedRooms, isRestricted } from '../rooms/membership/restricted-join.ts';

/** What people who are not in a room may be told about it, if they may know of it at all. */
export type RoomSummary = {
  readonly roomNid: number;
  readonly roomId: string;
  readonly version: string;
  readonly joinedMembers: number;
  readonly name: string | undefined;
  readonly topic: string | undefined;
  readonly avatarUrl: string | undefined;
  readonly canonicalAlias: string | undefined;
  readonly joinRule: string;
  /** Whether everybody may ask to be let in. What a join rule means depends on the room's version. */
  readonly isKnockable: boolean;
  /** The rooms whose members may join, where the join rule is a restricted one. */
  readonly allowedRoomIds: readonly string[] | undefined;
  readonly worldReadable: boolean;
  readonly guestCanJoin: boolean;
  readonly encryption: string | undefined;
  readonly roomType: string | undefined;
};

type Facts = {
  readonly roomNid: number;
  readonly roomId: string;
  readonly version: string;
  readonly joinedMembers: number;
};

/** Makes a summary of the contents of state events, by type. */
export function summarise(facts: Facts, contents: ReadonlyMap<string, JsonObject>): RoomSummary {
  const field = (type: string, name: string): string | undefined => textOf(contents.get(type)?.[name]);
  const joinRules = contents.get('m.room.join_rules');
  // "Where the join rules event is missing, the room is `invite`": {@link https://spec.matrix.org/v1.19/rooms/v1/#authorization-rules}
  const joinRule = textOf(joinRules?.['join_rule']) ?? 'invite';
  const rules = findRoomVersion(facts.version);
  return {
    ...facts,
    name: field('m.room.name', 'name'),
    topic: plainTopic(contents.get('m.room.topic')),
    avatarUrl: field('m.room.avatar', 'url'),
    canonicalAlias: field('m.room.canonical_alias', 'alias'),
    joinRule,
    isKnockable: rules !== undefined && takesKnocks(rules, joinRule),
    allowedRoomIds: rules !== undefined && isRestricted(rules, joinRules) ? allowedRooms(joinRules) : undefined,
    worldReadable: field('m.room.history_visibility', 'history_visibility') === 'world_readable',
    guestCanJoin: field('m.room.guest_access', 'guest_access') === 'can_join',
    encryption: field('m.room.encryption', 'algorithm'),
    roomType: field('m.room.create', 'type'),
  };
}

/** "The plain text topic of the room. Omitted if no `text/plain` mimetype exists in `m.room.topic`." */
function plainTopic(content: JsonObject | undefined): string | undefined {
  const block = content?.['m.topic'];
  const texts = isJsonObject(block) ? block['m.text'] : undefined;
  if (Array.isArray(texts)) {
    const plain = texts.find((text) => isJsonObject(text) && (text['mimetype'] ?? 'text/plain') === 'text/plain');
    const body = isJsonObject(plain) ? textOf(plain['body']) : undefined;
    if (body !== undefined) return body;
  }
  return textOf(content?.['topic']);
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A room as `publicRooms` shows it. */
export function publicRoomsChunk(room: RoomSummary) {
  return {
    room_id: room.roomId,
    num_joined_members: room.joinedMembers,
    world_readable: room.worldReadable,
    guest_can_join: room.guestCanJoin,
    join_rule: room.joinRule,
    ...(room.name !== undefined && { name: room.name }),
    ...(room.topic !== undefined && { topic: room.topic }),
    ...(room.avatarUrl !== undefined && { avatar_url: room.avatarUrl }),
    ...(room.canonicalAlias !== undefined && { canonical_alias: room.canonicalAlias }),
    ...(room.roomType !== undefined && { room_type: room.roomType }),
  };
}

/** What is shown of one room, and of the rooms in a space. */
export type RoomSummaryFields = {
  readonly room_id: string;
  readonly num_joined_members: number;
  readonly world_readable: boolean;
  readonly guest_can_join: boolean;
  readonly join_rule: string;
  readonly name?: string;
  readonly topic?: string;
  readonly avatar_url?: string;
  readonly canonical_alias?: string;
  readonly room_type?: string;
  readonly room_version?: string;
  readonly encryption?: string;
  readonly allowed_room_ids?: readonly string[];
};

/** The same with what the summary of one room, and of the rooms in a space, says besides. */
export function fullSummary(room: RoomSummary): RoomSummaryFields {
  return {
    ...publicRoomsChunk(room),
    room_version: room.version,
    ...(room.encryption !== undefined && { encryption: room.encryption }),
    ...(room.allowedRoomIds !== undefined && { allowed_room_ids: room.allowedRoomIds }),
  };
}
