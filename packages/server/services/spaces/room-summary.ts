import { serverNameOf } from '@portico/protocol';
import { readMembershipsIn, readRoomNids, readRoomsOfHost } from '@portico/storage/stores/directory/room-summaries.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { fullSummary, type RoomSummaryFields } from '../directory/room-summary.ts';
import { knowableRooms } from './access.ts';
import type { HierarchyDependencies } from './hierarchy.ts';
import { findRemoteRoom } from './walk.ts';

/**
 * A room's summary for somebody, or for nobody in particular. A room that they may not know of is not found. `via` are servers
 * that may be in it.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias}
 */
export async function readRoomSummary(
  dependencies: HierarchyDependencies,
  userId: string | undefined,
  roomIdOrAlias: string,
  via: readonly string[] = [],
): Promise<SummaryOfRoom> {
  const { db, summaries, serverName, locate } = dependencies;
  const { roomId, servers } = await locate(roomIdOrAlias);
  const knowable = knowableRooms(db, userId);
  const [room] = (await summaries.of(await readRoomsOfHost(db, [roomId], serverName))).values();
  if (room === undefined) {
    const host = serverNameOf(roomId);
    const named = [...servers, ...via, ...(host === undefined ? [] : [host])].filter((name) => name !== serverName);
    const found = await findRemoteRoom(dependencies, { roomId, via: named }, { knowable, suggestedOnly: false });
    if (found === undefined) throw new MatrixError('room.not-found');
    const membership = userId === undefined ? undefined : await membershipIn(dependencies, userId, roomId);
    return withOldNames(found.summary, membership);
  }
  const visible = await knowable.among([room]);
  if (!visible.has(room.roomNid)) throw new MatrixError('room.not-found');
  return withOldNames(fullSummary(room), userId === undefined ? undefined : (visible.get(room.roomNid) ?? 'leave'));
}

async function membershipIn({ db }: HierarchyDependencies, userId: string, roomId: string): Promise<string> {
  const nid = (await readRoomNids(db, [roomId])).get(roomId);
  return (nid === undefined ? undefined : (await readMembershipsIn(db, [nid], userId)).get(nid)) ?? 'leave';
}

export type SummaryOfRoom = RoomSummaryFields & { readonly membership?: string };

/** With what clients that know only the proposal (MSC3266) look at. */
function withOldNames(summary: RoomSummaryFields, membership: string | undefined): SummaryOfRoom {
  const { room_version: version, encryption } = summary;
  return {
    ...summary,
    ...(version !== undefined && { 'im.nheko.summary.room_version': version }),
    ...(encryption !== undefined && { 'im.nheko.summary.encryption': encryption }),
    ...(membership !== undefined && { membership }),
  };
}
