import { Type } from 'typebox';
import type { UserRedactions } from '../../../services/rooms/redacting/user-redactions.ts';
import { endpoint } from '../../endpoint.ts';

type Services = { readonly userRedactions: UserRedactions };

export const redactUser = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/user/:userId/redact',
    operationId: 'redactUser',
    summary: 'Redacts what somebody has said, in the background.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String() }),
    body: Type.Object(
      {
        rooms: Type.Optional(
          Type.Array(Type.String(), { maxItems: 1000, description: 'All of theirs if there are none.' }),
        ),
        reason: Type.Optional(Type.Union([Type.String({ maxLength: 1000 }), Type.Null()])),
        limit: Type.Optional(
          Type.Union([
            Type.Integer({ minimum: 1, description: 'Of each room the newest so many, 1000 if it is not said.' }),
            Type.Null(),
          ]),
        ),
        use_admin: Type.Optional(
          Type.Union([
            Type.Boolean({ description: 'The administrator redacts, where the person could as well.' }),
            Type.Null(),
          ]),
        ),
      },
      { title: 'UserRedaction' },
    ),
    response: Type.Object({ redact_id: Type.String() }, { title: 'UserRedactionBegun' }),
  },
  ({ userRedactions }: Services) =>
    async ({ sender, params: { userId }, body }) => ({
      redact_id: await userRedactions.begin(sender.userId, userId, {
        rooms: body.rooms ?? [],
        reason: body.reason ?? undefined,
        limit: body.limit ?? 1000,
        asAdministrator: body.use_admin ?? false,
      }),
    }),
);

export const getUserRedaction = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/user/redact_status/:redactId',
    operationId: 'getUserRedaction',
    summary: 'Tells how far the redaction of what somebody has said is.',
    auth: 'admin',
    params: Type.Object({ redactId: Type.String() }),
    response: Type.Object(
      {
        status: Type.Union([Type.Literal('active'), Type.Literal('complete')]),
        failed_redactions: Type.Record(Type.String(), Type.String(), {
          description: 'Why events could not be redacted, by ID: a hundred of them at most.',
        }),
        successful_redactions: Type.Integer(),
      },
      { title: 'UserRedactionStatus' },
    ),
  },
  ({ userRedactions }: Services) =>
    async ({ sender, params: { redactId } }) => {
      const { isDone, failed, redacted } = await userRedactions.find(sender.userId, redactId);
      return {
        status: isDone ? ('complete' as const) : ('active' as const),
        failed_redactions: { ...failed },
        successful_redactions: redacted,
      };
    },
);
