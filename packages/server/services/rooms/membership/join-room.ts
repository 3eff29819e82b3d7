import type { JsonObject } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ReadState } from '../read-state.ts';
import type { RoomWriter } from '../room-writer.ts';
import { type JoinContent, planJoin } from './join.ts';
import { predecessorIn } from './predecessor.ts';
import { admissionKeys, findAdmission, refusalOf } from './restricted-join.ts';

type Dependencies = {
  readonly db: Reader;
  readonly writer: RoomWriter;
  readonly readState: ReadState;
  readonly serverName: string;
  /** Has another server let the person in; `false` if there is none to ask. */
  readonly joinElsewhere: () => Promise<boolean>;
};

/** Joins a person of this server to a room that this server is in; says which room it replaces, if any. */
export async function joinRoom(
  { db, writer, readState, serverName, joinElsewhere }: Dependencies,
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
    const admission = await findAdmission(db, await readState(roomNid, admissionKeys), userId, serverName);
    if (admission.kind === 'admitted') {
      await writer.append(roomNid, planJoin(userId, { ...content, seeCreate, authoriser: admission.by }));
    } else {
      const mayElsewhere = admission.kind === 'cannot-tell' || admission.kind === 'nobody-may';
      if (!mayElsewhere || !(await joinElsewhere())) throw refusalOf(admission) ?? error;
    }
  }
  return { predecessor };
}
