import type { JsonObject } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { ReadState } from '../read-state.ts';
import type { RoomWriter } from '../room-writer.ts';
import { type JoinContent, planJoin } from './join.ts';
import { predecessorIn } from './predecessor.ts';
import { admissionKeysOf, findAdmission, refusalOf } from './restricted-join.ts';

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
    const find = async () => findAdmission(db, await readState(roomNid, admissionKeysOf(userId)), userId, serverName);
    const admission = await find();
    const admitted =
      admission.kind === 'admitted'
        ? admission
        : await askElsewhere(admission, joinElsewhere, find, refusalOf(admission) ?? error);
    if (admitted !== 'elsewhere') {
      await writer.append(roomNid, planJoin(userId, { ...content, seeCreate, authoriser: admitted.by }));
    }
  }
  return { predecessor };
}

type Admission = Awaited<ReturnType<typeof findAdmission>>;
type Admitted = Extract<Admission, { readonly kind: 'admitted' }>;

/** Has another server let the person in; or one's own, where what that takes has come meanwhile. */
async function askElsewhere(
  admission: Admission,
  joinElsewhere: Dependencies['joinElsewhere'],
  find: () => Promise<Admission>,
  refusal: unknown,
): Promise<Admitted | 'elsewhere'> {
  if (admission.kind !== 'cannot-tell' && admission.kind !== 'nobody-may') throw refusal;
  let failure = refusal;
  try {
    if (await joinElsewhere()) return 'elsewhere';
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error;
    failure = error;
  }
  const again = await find();
  if (again.kind !== 'admitted') throw failure;
  return again;
}
