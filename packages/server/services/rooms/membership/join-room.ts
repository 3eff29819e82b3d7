import type { JsonObject } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ReadState } from '../read-state.ts';
import type { RoomWriter } from '../room-writer.ts';
import { type JoinContent, planJoin } from './join.ts';
import { predecessorIn } from './predecessor.ts';
import { findAuthoriser } from './restricted-join.ts';

type Dependencies = { readonly db: Reader; readonly writer: RoomWriter; readonly readState: ReadState };

/** Joins a person of this server to a room that this server is in; says which room it replaces, if any. */
export async function joinRoom(
  { db, writer, readState }: Dependencies,
  roomNid: number,
  userId: string,
  content: Omit<JoinContent, 'authoriser' | 'seeCreate'>,
): Promise<{ readonly predecessor: string | undefined }> {
  let predecessor: string | undefined;
  const seeCreate = (create: JsonObject | undefined): void => {
    predecessor = predecessorIn(create);
  };
  try {
    await writer.append(roomNid, planJoin(userId, { ...content, seeCreate }));
  } catch (error) {
    if (!(error instanceof MatrixError) || error.reason !== 'forbidden') throw error;
    const room = await readState(roomNid, [
      ['m.room.create', ''],
      ['m.room.join_rules', ''],
      ['m.room.power_levels', ''],
    ]);
    const authoriser = await findAuthoriser(db, room, userId);
    if (authoriser === undefined) throw error;
    await writer.append(roomNid, planJoin(userId, { ...content, seeCreate, authoriser }));
  }
  return { predecessor };
}
