import { findCurrentState, readCurrentState } from '@portico/storage/stores/rooms/current-state-read.ts';
import { findStateRootAt, readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RoomAccess } from './access.ts';
import type { ReadingContext, Requester } from './context.ts';
import { withoutErasedProfiles } from './erased-profiles.ts';
import { rawRender } from './render.ts';
import { answered } from './visibility.ts';
import { readInTurn } from './whole-rooms.ts';

const eventsPerQuery = 1000;

/**
 * All of a room's state: now, or when the requester left.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstate}
 */
export async function readRoomState(context: ReadingContext, requester: Requester, roomId: string): Promise<string> {
  const access = await context.access.enter(requester.userId, roomId);
  return readInTurn(context.wholeRooms, requester.userId, stateNids(context, access), async (batches) => {
    const rows: ClientEventRow[] = [];
    for await (const nids of batches) {
      rows.push(...(await asShown(context, access, await readEvents(context.db.long, nids))));
    }
    return rawRender(
      context,
      requester,
      roomId,
      rows.map((row) => ({ row })),
    );
  });
}

/** Whoever is erased has left by now: only the state of an earlier time says more of them. */
async function asShown(
  context: ReadingContext,
  { as, viewer }: RoomAccess,
  rows: readonly ClientEventRow[],
): Promise<readonly ClientEventRow[]> {
  return as === 'departed' ? withoutErasedProfiles(context, viewer, rows) : rows;
}

async function* stateNids(context: ReadingContext, access: RoomAccess): AsyncGenerator<readonly number[]> {
  if (access.as === 'departed') {
    const rootId = await findStateRootAt(context.db, access.roomNid, access.viewer.joinedUntil);
    if (rootId !== undefined) yield* context.states.events(await answered(context.states.root(rootId)));
    return;
  }
  const nids = (await readCurrentState(context.db.long, [access.roomNid], 'all')).map((row) => row.event_nid);
  for (let start = 0; start < nids.length; start += eventsPerQuery) yield nids.slice(start, start + eventsPerQuery);
}

/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstateeventtypestatekey} */
export async function readStateEvent(
  context: ReadingContext,
  requester: Requester,
  key: { readonly roomId: string; readonly type: string; readonly stateKey: string },
  format: 'content' | 'event',
): Promise<string> {
  const access = await context.access.enter(requester.userId, key.roomId);
  const nid = await findStateNid(context, access, key.type, key.stateKey);
  const state = nid === undefined ? [] : await readEvents(context.db, [nid]);
  const [row] = await asShown(context, access, state);
  if (row === undefined) throw new MatrixError('not-found', { message: 'The room has no such state.' });
  if (format === 'content') return row.content;
  return (await rawRender(context, requester, key.roomId, [{ row }])).slice(1, -1);
}

async function findStateNid(
  context: ReadingContext,
  access: RoomAccess,
  type: string,
  stateKey: string,
): Promise<number | undefined> {
  if (access.as !== 'departed') return findCurrentState(context.db, access.roomNid, type, stateKey);
  const rootId = await findStateRootAt(context.db, access.roomNid, access.viewer.joinedUntil);
  if (rootId === undefined) return undefined;
  return answered(context.states.get(await answered(context.states.root(rootId)), type, stateKey));
}
