import {
  type JsonObject,
  requiredPowerLevel,
  type RoomVersionRules,
  serverNameOf,
  userPowerLevel,
} from '@portico/protocol';
import type { Database, WriteSet } from '@portico/storage';
import { findPublished } from '@portico/storage/stores/directory/room-directory.ts';
import type { ExtremityRow } from '@portico/storage/stores/rooms/rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { roomVersionFor } from '../create-room.ts';
import { checkAdditionalCreators } from '../creation/initial-events.ts';
import { type Draft, memberDraft, stateDraft } from '../draft.ts';
import type { RoomState } from '../read-state.ts';
import type { RoomParts } from '../room-parts.ts';
import { soleEventId } from '../set-state.ts';
import { withoutAliases } from '../aliases/canonical-alias.ts';
import { carriedBans, carriedChildren, type Carried } from './carried-lists.ts';
import { carriedPowerLevels } from './carried-power-levels.ts';
import { carriedState, upgradeEntries } from './carried-state.ts';
import { moveInDirectory } from './carry-directory.ts';
import { planTombstone, quietenRoom } from './retire-room.ts';

export type UpgradeRequest = {
  readonly new_version: string;
  readonly additional_creators?: readonly string[];
};

export type UpgradeDependencies = Pick<RoomParts, 'writer' | 'newRooms' | 'readState' | 'resolve'> & {
  readonly db: Database;
  readonly serverName: string;
  readonly profileOf: (userId: string) => Promise<JsonObject>;
  readonly carrySettings: (userId: string, from: string, to: string) => Promise<void>;
};

/**
 * Replaces a room by a new one of another version, and returns the new room's ID.
 *
 * Where the new room's ID is known beforehand, the tombstone comes first, so that the new room can name it as the last
 * event of the old one; that the new room can be made is tried before. Since version 12 the ID follows from the create
 * event, and the new room comes first.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-19}
 */
export async function upgradeRoom(
  deps: UpgradeDependencies,
  sender: string,
  roomId: string,
  request: UpgradeRequest,
): Promise<string> {
  const { db, newRooms, writer, serverName } = deps;
  const rules = roomVersionFor(request.new_version);
  checkAdditionalCreators(request.additional_creators);
  const old = await readOldRoom(deps, sender, roomId);
  const [planned, profile, bans, children, published] = await Promise.all([
    newRooms.plan(rules),
    deps.profileOf(sender),
    carriedBans(db, old.roomNid, sender),
    carriedChildren(db, old, sender),
    findPublished(db, [old.roomNid]),
  ]);
  const isMoved = (alias: string): boolean => serverNameOf(alias) === serverName;
  const additional = additionalOf(rules, sender, request);
  const levels = carriedPowerLevels(old, { rules, creators: [sender, ...additional] });
  const powerLevels = stateDraft(sender, 'm.room.power_levels', levels);
  const parts = { sender, old, rules, profile, isMoved, bans, children, additional };
  // The power levels come last: before there are any, the creator may set everything that the old room had, whatever
  // their level was there.
  const draftsAfter = (lastEventId: string | undefined): Draft[] => [
    ...firstDrafts({ ...parts, lastEventId }),
    ...(bans.hasRest ? [] : [powerLevels]),
  ];
  const append = (drafts: readonly Draft[]) => writer.append(planned.roomNid, { needs: [], drafts: () => drafts });
  const finish = async (): Promise<void> => {
    if (!bans.hasRest) return;
    await bans.rest(append);
    await append([powerLevels]);
  };

  const move = (set: WriteSet): void => {
    moveInDirectory(set, old.roomNid, planned.roomNid, published.has(old.roomNid));
  };
  const retire = async (newRoomId: string, alongside: (set: WriteSet) => void): Promise<string> => {
    const { events } = await writer.append(old.roomNid, planTombstone({ sender, newRoomId, alongside }));
    return soleEventId(events);
  };

  let newRoomId = planned.roomId;
  if (newRoomId === '') {
    newRoomId = await newRooms.create(planned, draftsAfter(undefined), () => undefined);
    await finish();
    await retire(newRoomId, move);
  } else {
    await newRooms.rehearse(planned, draftsAfter(old.lastEventId));
    const tombstone = await retire(newRoomId, () => undefined);
    await newRooms.create(planned, draftsAfter(tombstone), move);
    await finish();
  }
  await quietenRoom(writer, old.roomNid, sender, isMoved);
  await deps.carrySettings(sender, old.roomId, newRoomId);
  return newRoomId;
}

type OldRoom = RoomState & { readonly lastEventId: string | undefined };

/** The room, if the person may end it. */
async function readOldRoom(
  { resolve, readState }: UpgradeDependencies,
  sender: string,
  roomId: string,
): Promise<OldRoom> {
  const { roomNid } = await resolve(roomId);
  const old = await readState(roomNid, [...upgradeEntries, ['m.room.member', sender]]);
  const { rules, state, row } = old;
  const powerLevels = state('m.room.power_levels');
  const isMember = state('m.room.member', sender)?.content['membership'] === 'join';
  const power = userPowerLevel(rules, state('m.room.create'), powerLevels, sender);
  if (!isMember || power < requiredPowerLevel(rules, powerLevels, 'm.room.tombstone', true)) {
    throw new MatrixError('forbidden', { message: 'You may not upgrade this room.' });
  }
  const extremities = JSON.parse(row.extremities) as readonly ExtremityRow[];
  return { ...old, lastEventId: extremities.at(-1)?.[0] };
}

/** "When upgrading to a room version which doesn't support additional creators, this field is ignored" */
function additionalOf(rules: RoomVersionRules, sender: string, request: UpgradeRequest): readonly string[] {
  if (!rules.auth.privilegedCreators) return [];
  return [...new Set(request.additional_creators)].filter((userId) => userId !== sender);
}

type Parts = {
  readonly sender: string;
  readonly old: RoomState;
  readonly rules: RoomVersionRules;
  readonly lastEventId: string | undefined;
  readonly profile: JsonObject;
  readonly additional: readonly string[];
  readonly isMoved: (alias: string) => boolean;
  readonly bans: Carried;
  readonly children: readonly Draft[];
};

function firstDrafts({ sender, old, rules, lastEventId, profile, ...parts }: Parts): Draft[] {
  const { additional, isMoved, bans, children } = parts;
  const created = old.state('m.room.create')?.content ?? {};
  const create: JsonObject = {
    room_version: rules.version,
    predecessor: { room_id: old.roomId, ...(lastEventId === undefined ? {} : { event_id: lastEventId }) },
    ...(rules.auth.requireCreator ? { creator: sender } : {}),
    ...(created['type'] === undefined ? {} : { type: created['type'] }),
    ...(created['m.federate'] === undefined ? {} : { 'm.federate': created['m.federate'] }),
    ...(additional.length === 0 ? {} : { additional_creators: [...additional] }),
  };
  const aliases = old.state('m.room.canonical_alias')?.content ?? {};
  const movedAliases = withoutAliases(aliases, (alias) => !isMoved(alias)) ?? aliases;
  const hasAliases = movedAliases['alias'] !== undefined || movedAliases['alt_aliases'] !== undefined;
  return [
    stateDraft(sender, 'm.room.create', create),
    memberDraft(sender, sender, { ...profile, membership: 'join' }),
    ...carriedState(sender, old, rules),
    ...(hasAliases ? [stateDraft(sender, 'm.room.canonical_alias', movedAliases)] : []),
    ...children,
    ...bans.first,
  ];
}
