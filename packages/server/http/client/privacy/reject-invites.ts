import { Type } from 'typebox';
import type { InviteControl } from '../../../services/privacy/invite-control.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyResponse } from '../rooms/schemas.ts';
import { privacyPath } from './schemas.ts';

const list = Type.Optional(Type.Array(Type.String()));

export const rejectInvites = endpoint(
  {
    method: 'POST',
    path: `${privacyPath}/invites/reject`,
    operationId: 'rejectInvites',
    summary: 'Declines many invitations at once.',
    auth: 'user',
    rateLimit: 'reject-invites',
    body: Type.Object(
      { room_ids: list, users: list, servers: list, include_hidden: Type.Optional(Type.Boolean()) },
      { title: 'InviteChoice' },
    ),
    response: emptyResponse,
  },
  ({ inviteControl }: { inviteControl: InviteControl }) =>
    async ({ sender, body }) => {
      await inviteControl.reject(sender.userId, body);
      return {};
    },
);
