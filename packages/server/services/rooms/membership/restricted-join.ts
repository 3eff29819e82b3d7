import {
  isJsonObject,
  type JsonObject,
  namedPowerLevel,
  parsePowerLevels,
  type RoomEvent,
  type RoomVersionRules,
  userPowerLevel,
} from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findLocalJoined, findLocalMember } from '@portico/storage/stores/members-of-kind.ts';
import { readMembershipsIn, readRoomNids } from '@portico/storage/stores/room-summaries.ts';
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

/** Whether a person is in one of the rooms whose members a restricted room admits. */
export async function meetsCondition(reader: Reader, joinRules: JsonObject, userId: string): Promise<boolean> {
  const nids = await readRoomNids(reader, allowedRooms(joinRules));
  const memberships = await readMembershipsIn(reader, [...nids.values()], userId);
  return [...memberships.values()].includes('join');
}

/**
 * Somebody of this server in whose name a person may join a restricted room, or nobody if the room's conditions do not
 * admit them. Throws if they do and nobody can let them in.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#restricted-rooms}
 */
export async function findAuthoriser(
  reader: Reader,
  { roomNid, rules, state }: RoomState,
  userId: string,
): Promise<string | undefined> {
  const joinRules = state('m.room.join_rules')?.content;
  if (joinRules === undefined || !isRestricted(rules, joinRules)) return undefined;
  if (!(await meetsCondition(reader, joinRules, userId))) return undefined;
  const create = state('m.room.create');
  const powerLevels = state('m.room.power_levels');
  const required = namedPowerLevel(rules, powerLevels, 'invite');
  const mayInvite = (candidate: string): boolean => userPowerLevel(rules, create, powerLevels, candidate) >= required;
  const named = namedCandidates(rules, create, powerLevels).filter(mayInvite);
  const joined = await findLocalJoined(reader, roomNid, named);
  const authoriser = named.find((candidate) => joined.has(candidate)) ?? (await findLocalMember(reader, roomNid));
  if (authoriser === undefined || !mayInvite(authoriser)) throw new MatrixError('join.unable-to-grant');
  return authoriser;
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
