import { Type } from 'typebox';
import type { InviteControl } from '../../../services/privacy/invite-control.ts';
import { endpoint } from '../../endpoint.ts';
import { pageToken } from '../../schemas.ts';
import { inviteDecision, privacyPath } from './schemas.ts';

const pendingInvite = Type.Object(
  {
    room_id: Type.String(),
    inviter: Type.String(),
    origin_server_ts: Type.Integer(),
    decision: inviteDecision,
  },
  { title: 'PendingInvite' },
);

export const getPendingInvites = endpoint(
  {
    method: 'GET',
    path: `${privacyPath}/invites/pending`,
    operationId: 'getPendingInvites',
    summary: 'Lists the invitations that you have not answered, those that your rules hide included.',
    auth: 'user',
    rateLimit: 'privacy',
    query: Type.Object({
      from: pageToken,
      limit: Type.Optional(Type.Integer({ minimum: 1 })),
    }),
    response: Type.Object(
      {
        invites: Type.Array(pendingInvite),
        next_batch: Type.Optional(Type.String()),
        rejecting: Type.Boolean(),
      },
      { title: 'PendingInvites' },
    ),
  },
  ({ inviteControl }: { inviteControl: InviteControl }) =>
    ({ sender, query }) =>
      inviteControl.pending(sender.userId, { from: query.from, limit: query.limit }),
);
