import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Keys } from '../../../services/keys/keys.ts';
import { parseSyncToken } from '../../../services/sync/token.ts';
import { endpoint } from '../../endpoint.ts';

export const getKeyChanges = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/keys/changes',
    operationId: 'getKeysChanges',
    summary: 'Query users with recent device key updates',
    auth: 'user',
    rateLimit: 'to-device',
    query: Type.Object({ from: Type.String(), to: Type.String() }),
    response: Type.Object(
      { changed: Type.Array(Type.String()), left: Type.Array(Type.String()) },
      { title: 'KeyChanges' },
    ),
  },
  ({ keys }: { keys: Keys }) =>
    ({ sender, query }) =>
      keys.changes(sender.userId, positionOf(query.from), positionOf(query.to)),
);

function positionOf(text: string): number {
  const token = parseSyncToken(text);
  if (token === undefined) {
    throw new MatrixError('request.invalid-param', { message: '`from` and `to` are tokens of /sync.' });
  }
  return token.position;
}
