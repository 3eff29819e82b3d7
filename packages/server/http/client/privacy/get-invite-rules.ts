import { Type } from 'typebox';
import type { InviteControl } from '../../../services/privacy/invite-control.ts';
import { endpoint } from '../../endpoint.ts';
import { privacyPath } from './schemas.ts';

/** As somebody has written it. */
const content = Type.Unsafe<object>(Type.Object({}, { title: 'InviteRuleContent' }));
const ruleEvent = Type.Object(
  {
    type: Type.String(),
    content,
    lists: Type.Union([Type.Literal('in_force'), Type.Literal('disabled'), Type.Literal('malformed')]),
    malformed_list: Type.Optional(Type.String()),
  },
  { title: 'InviteRuleEvent' },
);

export const getInviteRules = endpoint(
  {
    method: 'GET',
    path: `${privacyPath}/invites`,
    operationId: 'getInviteRules',
    summary: 'Gets the rules that decide who may invite you, as they are in force.',
    auth: 'user',
    rateLimit: 'privacy',
    response: Type.Object(
      { server_policy: content, ignored_users: Type.Array(Type.String()), events: Type.Array(ruleEvent) },
      { title: 'InviteRules' },
    ),
  },
  ({ inviteControl }: { inviteControl: InviteControl }) =>
    ({ sender }) =>
      inviteControl.rules(sender.userId),
);
