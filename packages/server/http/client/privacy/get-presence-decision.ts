import { Type } from 'typebox';
import type { PresenceControl } from '../../../services/privacy/presence-control.ts';
import { endpoint } from '../../endpoint.ts';
import { presenceSight, privacyPath } from './schemas.ts';

export const getPresenceDecision = endpoint(
  {
    method: 'GET',
    path: `${privacyPath}/presence/decision`,
    operationId: 'getPresenceDecision',
    summary: 'Tells whether somebody may see your presence now, and which rule decides it.',
    auth: 'user',
    rateLimit: 'privacy',
    query: Type.Object({ user_id: Type.String() }),
    response: presenceSight,
  },
  ({ presenceControl }: { presenceControl: PresenceControl }) =>
    ({ sender, query }) =>
      presenceControl.decide(sender.userId, query.user_id),
);
