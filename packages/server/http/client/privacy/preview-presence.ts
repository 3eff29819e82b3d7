import { Type } from 'typebox';
import type { PresenceControl } from '../../../services/privacy/presence-control.ts';
import { endpoint } from '../../endpoint.ts';
import { jsonObject } from '../../schemas.ts';
import { presenceSight, privacyPath } from './schemas.ts';

export const previewPresence = endpoint(
  {
    method: 'POST',
    path: `${privacyPath}/presence/preview`,
    operationId: 'previewPresence',
    summary: 'Lists for whom something would change if you shared your presence in another way; changes nothing.',
    auth: 'user',
    rateLimit: 'privacy',
    query: Type.Object({
      from: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
    }),
    body: Type.Object({ content: jsonObject }, { title: 'PresenceDraft' }),
    response: Type.Object(
      {
        malformed: Type.Boolean(),
        changes: Type.Array(Type.Object({ before: presenceSight, after: presenceSight }, { title: 'PresenceChange' })),
        examined: Type.Integer(),
        next_batch: Type.Optional(Type.String()),
      },
      { title: 'PresenceChanges' },
    ),
  },
  ({ presenceControl }: { presenceControl: PresenceControl }) =>
    ({ sender, query, body }) =>
      presenceControl.preview(sender.userId, body.content, { from: query.from, limit: query.limit }),
);
