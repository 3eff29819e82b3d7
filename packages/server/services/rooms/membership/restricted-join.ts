import {
  isJsonObject,
  type JsonObject,
  namedPowerLevel,
  parsePowerLevels,
  type RoomEvent,
  type RoomVersionRules,
  type StateKeyPair,
  userPowerLevel,
} from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findLocalJoined, findLocalMember } from '@portico/storage/stores/rooms/members-of-kind.ts';
import { readMembershipsIn, readRoomsOfHost } from '@portico/storage/stores/directory/room-summaries.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { RoomState } from '../read-state.ts';

export function isRestricted(rules: RoomVersionRules, joinRules: JsonObject | undefined): boolean {
  const rule = joinRules?.['join_rule'];
  return (
    (rule === 'restricted' && rules.auth.restrictedJoins) || (rule === 'knock_restricted' && rules.auth.knockRestricted)
  );
}

/** The rooms whose members a restricted room admits. "Conditions that are malformed […] are ignored." */
export function allowedRooms(joinRules: JsonObject | undefined): string[] {
  const allow = joinRules?.['allow'];
  if (!Array.isArray(allow)) return [];
  const rooms = allow.flatMap((condition) => {
    if (!isJsonObject(condition) || condition['type'] !== 'm.room_membership') return [];
    const roomId = condition['room_id'];
    return typeof roomId === 'string' ? [roomId] : [];
  });
  return [...new Set(rooms)].slice(0, maxConditions);
}

/** A join rules event has room for hardly more; each is looked up. */
const maxConditions = 500;

/** The entries of a room's state that its conditions are judged by. */
export const admissionKeys: readonly StateKeyPair[] = [
  ['m.room.create', ''],
  ['m.room.join_rules', ''],
  ['m.room.power_levels', ''],
];

/** Whether this server can let a person into a room, under the conditions of a restricted one. */
export type Admission =
  | { readonly kind: 'unrestricted' }
  /** The person is banned, whatever conditions there are. */
  | { readonly kind: 'banned' }
  /** The person meets a condition, and `by` may invite people. */
  | { readonly kind: 'admitted'; readonly by: string }
  /** The person meets none of the conditions. */
  | { readonly kind: 'not-admitted' }
  /** The person meets none of the conditions that this server knows of, and there are others. */
  | { readonly kind: 'cannot-tell' }
  /** The person meets a condition, and nobody of this server in the room may invite people. */
  | { readonly kind: 'nobody-may' };

/** What an admission that is none is refused with. */
export function refusalOf({ kind }: Admission): MatrixError | undefined {
  switch (kind) {
    case 'banned':
      return new MatrixError('forbidden', { message: 'You are banned from this room.' });
    case 'not-admitted':
      return new MatrixError('forbidden', { message: 'You do not belong to any of the required rooms.' });
    case 'cannot-tell':
      return new MatrixError('join.unable-to-authorise');
    case 'nobody-may':
      return new MatrixError('join.unable-to-grant');
    case 'admitted':
    case 'unrestricted':
    default:
      return undefined;
  }
}

/** The same with the membership of the person, whom the room may have banned. */
export const admissionKeysOf = (userId: string): readonly StateKeyPair[] => [
  ...admissionKeys,
  ['m.room.member', userId],
];

/**
 * Judges by the entries of `admissionKeysOf` and by rooms that this server is in: of all others it may have known something
 * once, and does no more.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#restricted-rooms}
 */
export async function findAdmission(
  reader: Reader,
  { roomNid, rules, state }: RoomState,
  userId: string,
  serverName: string,
): Promise<Admission> {
  const joinRules = state('m.room.join_rules')?.content;
  if (joinRules === undefined || !isRestricted(rules, joinRules)) return { kind: 'unrestricted' };
  if (state('m.room.member', userId)?.content['membership'] === 'ban') return { kind: 'banned' };
  const conditions = allowedRooms(joinRules);
  const known = await readRoomsOfHost(reader, conditions, serverName);
  const memberships = await readMembershipsIn(reader, known, userId);
  if (![...memberships.values()].includes('join')) {
    return { kind: known.length < conditions.length ? 'cannot-tell' : 'not-admitted' };
  }
  const named = peopleWhoInvite({ rules, state });
  const joined = await findLocalJoined(reader, roomNid, named);
  const by = named.find((candidate) => joined.has(candidate)) ?? (await findLocalMember(reader, roomNid));
  return by === undefined || !mayInvite({ rules, state }, by) ? { kind: 'nobody-may' } : { kind: 'admitted', by };
}

/** Whether somebody has the power to, if they are in the room. */
export function mayInvite({ rules, state }: Pick<RoomState, 'rules' | 'state'>, userId: string): boolean {
  const powerLevels = state('m.room.power_levels');
  const power = userPowerLevel(rules, state('m.room.create'), powerLevels, userId);
  return power >= namedPowerLevel(rules, powerLevels, 'invite');
}

/** Those of the people with a power of their own who may invite others, whether or not they are in the room. */
export function peopleWhoInvite(room: Pick<RoomState, 'rules' | 'state'>): string[] {
  const { rules, state } = room;
  const named = namedCandidates(rules, state('m.room.create'), state('m.room.power_levels'));
  return named.filter((candidate) => mayInvite(room, candidate));
}

/** Those whose power is not the default. */
function namedCandidates(
  rules: RoomVersionRules,
  create: RoomEvent | undefined,
  powerLevels: RoomEvent | undefined,
): string[] {
  const users = powerLevels === undefined ? [] : parsePowerLevels(rules, powerLevels.content).users.keys();
  const additional = create?.content['additional_creators'];
  const creators = Array.isArray(additional) ? additional.filter((id) => typeof id === 'string') : [];
  return [...new Set([...(create === undefined ? [] : [create.sender]), ...creators, ...users])];
}
