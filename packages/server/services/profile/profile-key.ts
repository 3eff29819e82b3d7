import { MatrixError } from '../../errors/matrix-error.ts';

const maxKeyBytes = 255;
const namespaced = /^[a-z][a-z0-9._-]*$/;

/**
 * > either `avatar_url`, `displayname`, `m.tz`, or a custom field following the Common Namespaced Identifier Grammar
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3profileuseridkeyname}
 * {@link https://spec.matrix.org/v1.19/appendices/#common-namespaced-identifier-grammar}
 */
export function checkProfileKey(key: string): void {
  if (Buffer.byteLength(key) > maxKeyBytes) throw new MatrixError('profile.key-too-large');
  if (key === 'displayname' || key === 'avatar_url') return;
  if (!namespaced.test(key) || !key.includes('.') || key.endsWith('.') || key.includes('..')) {
    throw new MatrixError('request.invalid-param', {
      message: 'A profile field is displayname, avatar_url, m.tz, or a name such as com.example.field.',
    });
  }
}
