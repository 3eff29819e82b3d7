import { type Static, Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Administering } from '../../../services/accounts/administering.ts';
import type { AccountChanges } from '../../../services/accounts/planned-changes.ts';
import { endpoint } from '../../endpoint.ts';
import { reply } from '../../result.ts';
import { logsOut } from './reset-password.ts';
import { describeUser, type DescribingServices, externalId, userForAdministrators } from './user-for-administrators.ts';

type Services = DescribingServices & { readonly administering: Administering };

const flag = Type.Optional(Type.Boolean());
const optionalText = Type.Optional(Type.Union([Type.String(), Type.Null()]));

/** Tools send back all that they were told of an account, with what is changed. */
const body = Type.Object(
  {
    password: Type.Optional(Type.String()),
    logout_devices: logsOut,
    displayname: optionalText,
    avatar_url: optionalText,
    threepids: Type.Optional(
      Type.Array(Type.Object({ medium: Type.String(), address: Type.String() }), {
        maxItems: 100,
        description: 'All email addresses: of an account that is there they can be taken away.',
      }),
    ),
    external_ids: Type.Optional(
      Type.Array(externalId, {
        maxItems: 100,
        description:
          'All services by way of which somebody logs in, with what they are called there. With another one all devices are logged out.',
      }),
    ),
    admin: flag,
    locked: flag,
    deactivated: flag,
    user_type: optionalText,
  },
  { title: 'UserToPut' },
);

export const putUser = endpoint(
  {
    method: 'PUT',
    path: '/_synapse/admin/v2/users/:userId',
    operationId: 'putUser',
    summary: 'Makes an account, or changes it.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String() }),
    body,
    response: userForAdministrators,
  },
  (services: Services) =>
    async ({ sender, params: { userId }, body: given }) => {
      const isNew = await services.administering.put(sender.userId, userId, toChanges(given));
      return reply(await describeUser(services, userId), { status: isNew ? 201 : 200 });
    },
);

function toChanges(given: Static<typeof body>): AccountChanges {
  const other = given.threepids?.find(({ medium }) => medium !== 'email');
  if (other !== undefined) {
    throw new MatrixError('request.invalid-param', { message: `There are email addresses, and no ${other.medium}.` });
  }
  return {
    password: given.password,
    displayName: given.displayname ?? undefined,
    avatarUrl: given.avatar_url ?? undefined,
    emails: given.threepids?.map(({ address }) => address),
    externalIds: given.external_ids?.map((id) => ({ provider: id.auth_provider, subject: id.external_id })),
    isAdmin: given.admin,
    isLocked: given.locked,
    isDeactivated: given.deactivated,
    userType: given.user_type,
  };
}
