import { Type } from 'typebox';
import type { InviteControl } from '../../../services/privacy/invite-control.ts';
import { endpoint } from '../../endpoint.ts';
import { inviteDecision, privacyPath } from './schemas.ts';

export const getInviteDecision = endpoint(
  {
    method: 'GET',
    path: `${privacyPath}/invites/decision`,
    operationId: 'getInviteDecision',
    summary: 'Tells what would happen to an invitation to you by somebody, and which rule decides it.',
    auth: 'user',
    rateLimit: 'privacy',
    query: Type.Object({ user_id: Type.String() }),
    response: inviteDecision,
  },
  ({ inviteControl }: { inviteControl: InviteControl }) =>
    ({ sender, query }) =>
      inviteControl.decide(sender.userId, query.user_id),
);
