import { isUserId } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { countMutualRooms, readMutualRooms } from '@portico/storage/stores/rooms/mutual-rooms.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

export type MutualRoomsPage = {
  readonly joined: readonly string[];
  readonly count: number;
  readonly next_batch?: string;
};

export type MutualRooms = (userId: string, otherId: string, from: string | undefined) => Promise<MutualRoomsPage>;

const pageSize = 100;
const tokenFormat = /^m1_([1-9][0-9]{0,15})$/;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mutual_rooms} */
export function createMutualRooms({ db }: { readonly db: Database }): MutualRooms {
  return async (userId, otherId, from) => {
    if (!isUserId(otherId)) throw new MatrixError('request.invalid-param', { message: 'This is not a user ID.' });
    if (otherId === userId) {
      throw new MatrixError('request.invalid-param', { message: 'You share all your rooms with yourself.' });
    }
    const after = from === undefined ? 0 : Number(tokenFormat.exec(from)?.[1]);
    if (Number.isNaN(after)) {
      throw new MatrixError('request.invalid-param', { message: `'from' is not a token of this server.` });
    }
    const both = [userId, otherId] as const;
    const [rows, count] = await Promise.all([
      readMutualRooms(db, both, after, pageSize + 1),
      countMutualRooms(db, both),
    ]);
    const page = rows.slice(0, pageSize);
    const last = rows.length > pageSize ? page.at(-1) : undefined;
    return {
      joined: page.map(({ room_id: roomId }) => roomId),
      count,
      ...(last !== undefined && { next_batch: `m1_${last.room_nid}` }),
    };
  };
}
