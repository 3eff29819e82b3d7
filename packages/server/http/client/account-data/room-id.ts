import { isRoomId } from '@portico/protocol/ids/room-id.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';

export function refuseBadRoomId(roomId: string): void {
  if (!isRoomId(roomId)) {
    throw new MatrixError('request.invalid-param', { message: 'This is not a valid room ID.' });
  }
}
