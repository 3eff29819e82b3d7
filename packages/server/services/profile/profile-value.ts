import type { JsonValue } from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';
import { cutText } from '../cut-text.ts';

const maxDisplayNameLength = 256;
const maxAvatarUrlLength = 1000;

/** Of somebody who has not chosen it here. */
export function cutDisplayName(name: string | undefined): string | undefined {
  return name === undefined ? undefined : cutText(name, maxDisplayNameLength);
}

/**
 * What is to be stored for a field, `undefined` to remove it: clients in use say with an empty text that they want no
 * display name or avatar any more. Throws what is wrong with it.
 */
export function parseProfileValue(key: string, value: JsonValue): JsonValue | undefined {
  if (key !== 'displayname' && key !== 'avatar_url' && key !== 'm.tz') return value;
  if (typeof value !== 'string') throw new MatrixError('request.bad-json', { message: `${key} must be a string.` });
  if (key === 'm.tz') return value;
  if (value === '') return undefined;
  // Members' events say both, and no event can say this: nobody of that name could enter a room.
  if (!value.isWellFormed()) {
    throw new MatrixError('request.bad-json', { message: `${key} must be text without lone surrogates.` });
  }
  if (key === 'displayname') checkLength(value, maxDisplayNameLength, 'A display name');
  // Whether it is an MXC URI is not asked: other servers never did, the conformance suite relies on that, and readers
  // have to judge what comes from anywhere themselves.
  else checkLength(value, maxAvatarUrlLength, 'The address of an avatar');
  return value;
}

function checkLength(value: string, most: number, what: string): void {
  if (value.length <= most) return;
  throw new MatrixError('request.invalid-param', { message: `${what} has at most ${most} characters.` });
}
