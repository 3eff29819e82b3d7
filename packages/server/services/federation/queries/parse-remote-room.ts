import {
  encodeCanonical,
  findRoomVersion,
  isJsonObject,
  isRoomId,
  type JsonObject,
  type JsonValue,
  takesKnocks,
} from '@portico/protocol';
import type { RemoteRoom } from '../../spaces/remote-spaces.ts';
import { compareChildren, parseSpaceChild, type SpaceChild } from '../../spaces/space-children.ts';

const mostChildren = 1000;
const mostAllowed = 100;
/** In characters: what is longer is nobody's name or topic. */
const longestText = 16_384;

/** Many servers tell no version, and know by which rules they tell of a room. */
const versionIfUntold = '10';

const texts = ['name', 'topic', 'avatar_url', 'canonical_alias', 'room_type', 'room_version', 'encryption'] as const;

/** What another server says of a room, as far as it makes sense; nothing else of it reaches anybody. */
export function parseRemoteRoom(value: JsonObject): RemoteRoom | undefined {
  const { room_id: roomId, num_joined_members: members, children_state: state } = value;
  if (typeof roomId !== 'string' || !isRoomId(roomId)) return undefined;
  const joinRule = textIn(value, 'join_rule') ?? 'public';
  const worldReadable = value['world_readable'] === true;
  const allowedRoomIds = listOf(value['allowed_room_ids']);
  const summary = {
    room_id: roomId,
    num_joined_members: typeof members === 'number' && Number.isSafeInteger(members) && members >= 0 ? members : 0,
    world_readable: worldReadable,
    guest_can_join: value['guest_can_join'] === true,
    join_rule: joinRule,
    ...Object.fromEntries(
      texts.flatMap((name) => {
        const text = textIn(value, name);
        return text === undefined ? [] : [[name, text]];
      }),
    ),
    ...(allowedRoomIds !== undefined && { allowed_room_ids: allowedRoomIds }),
  };
  const children = Array.isArray(state) ? parseChildren(state as readonly JsonValue[]) : undefined;
  const rules = findRoomVersion(textIn(value, 'room_version') ?? versionIfUntold);
  const isKnockable = rules !== undefined && takesKnocks(rules, joinRule);
  return { roomId, summary, joinRule, isKnockable, worldReadable, allowedRoomIds, children };
}

function textIn(value: JsonObject, name: string): string | undefined {
  const text = value[name];
  return typeof text === 'string' && text !== '' && text.length <= longestText ? text : undefined;
}

function listOf(value: JsonValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter((each) => typeof each === 'string' && isRoomId(each)).slice(0, mostAllowed);
}

function parseChildren(events: readonly JsonValue[]): readonly SpaceChild[] {
  const children = new Map<string, SpaceChild>();
  for (const event of events.slice(0, mostChildren)) {
    if (!isJsonObject(event)) continue;
    const { type, state_key: stateKey, sender, content, origin_server_ts: ts } = event;
    if (type !== 'm.space.child' || typeof stateKey !== 'string' || typeof sender !== 'string') continue;
    if (!isJsonObject(content) || typeof ts !== 'number' || !Number.isSafeInteger(ts)) continue;
    const text = encodeCanonical(content, 'lenient');
    if (text.length > longestText) continue;
    const child = parseSpaceChild({ state_key: stateKey, sender, origin_server_ts: ts, content: text });
    if (child !== undefined) children.set(child.roomId, child);
  }
  return [...children.values()].toSorted(compareChildren);
}
