import { Type } from 'typebox';

export const privacyPath = '/_portico/client/v1/privacy';

export const inviteDecision = Type.Object(
  {
    action: Type.Union([Type.Literal('allow'), Type.Literal('ignore'), Type.Literal('block')]),
    rule: Type.String(),
    source: Type.Optional(Type.String()),
    entry: Type.Optional(Type.String()),
  },
  { title: 'InviteDecision' },
);

export const presenceSight = Type.Object(
  {
    user_id: Type.String(),
    allowed: Type.Boolean(),
    rule: Type.String(),
    reason: Type.String(),
    by: Type.Optional(Type.String()),
  },
  { title: 'PresenceSight' },
);
