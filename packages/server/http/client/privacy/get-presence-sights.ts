import { Type } from 'typebox';
import type { PresenceControl } from '../../../services/privacy/presence-control.ts';
import { endpoint } from '../../endpoint.ts';
import { presenceSight, privacyPath } from './schemas.ts';

export const getPresenceSights = endpoint(
  {
    method: 'GET',
    path: `${privacyPath}/presence`,
    operationId: 'getPresenceSights',
    summary: 'Lists who may see your presence now, who may not, and which rule decides it.',
    auth: 'user',
    rateLimit: 'privacy',
    query: Type.Object({
      from: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
    }),
    response: Type.Object(
      {
        source: Type.Union([Type.Literal('own'), Type.Literal('default'), Type.Literal('none')]),
        malformed: Type.Boolean(),
        overridden: Type.Boolean(),
        patterns: Type.Array(Type.String()),
        patterns_total: Type.Integer(),
        users: Type.Array(presenceSight),
        next_batch: Type.Optional(Type.String()),
      },
      { title: 'PresenceSights' },
    ),
  },
  ({ presenceControl }: { presenceControl: PresenceControl }) =>
    ({ sender, query }) =>
      presenceControl.list(sender.userId, { from: query.from, limit: query.limit }),
);
