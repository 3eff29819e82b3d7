import { MatrixError } from '../../errors/matrix-error.ts';

/** What one device can be sent in one message, in characters: as much as an event may hold. */
export const maxToDeviceContent = 65_536;

export function tooLarge(): MatrixError {
  return new MatrixError('request.too-large', { message: 'A message to a device has at most 64 KiB.' });
}
