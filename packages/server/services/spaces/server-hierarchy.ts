import { readRoomNids, readRoomsOfHost } from '@portico/storage/stores/directory/room-summaries.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { roomsKnowableToServer } from './access.ts';
import { describeRooms, renderRoom, type WalkDependencies } from './walk.ts';

/** Children that are described to a server. */
const mostChildren = 200;

/**
 * A room, and its children if it is a space, as another server may know them: as JSON text.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid}
 */
export async function readServerHierarchy(
  dependencies: Pick<WalkDependencies, 'db' | 'summaries' | 'serverName'>,
  origin: string,
  { roomId, suggestedOnly }: { readonly roomId: string; readonly suggestedOnly: boolean },
): Promise<string> {
  const { db, summaries, serverName } = dependencies;
  const knowable = roomsKnowableToServer(db, origin);
  const own = await summaries.of(await readRoomsOfHost(db, [roomId], serverName));
  const [root] = own.values();
  if (root === undefined || !(await knowable.among([root])).has(root.roomNid)) throw new MatrixError('room.not-found');
  const [room] = await describeRooms(dependencies, [root], { suggestedOnly });
  const wanted = (room?.children ?? []).slice(0, mostChildren).map((child) => child.roomId);
  const nids = await readRoomNids(db, wanted);
  const here = new Set(await readRoomsOfHost(db, wanted, serverName));
  const children = [...(await summaries.of([...nids.values()].filter((nid) => here.has(nid)))).values()];
  const visible = await knowable.among(children);
  const described = await describeRooms(
    dependencies,
    children.filter((child) => visible.has(child.roomNid)),
    { suggestedOnly },
  );
  const inaccessible = children.filter((child) => !visible.has(child.roomNid)).map((child) => child.roomId);
  return (
    `{"children":[${described.map(renderRoom).join(',')}],"inaccessible_children":${JSON.stringify(inaccessible)},` +
    `"room":${room === undefined ? '{}' : renderRoom(room)}}`
  );
}
