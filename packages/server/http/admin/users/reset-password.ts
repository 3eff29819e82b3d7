import { Type } from 'typebox';
import type { Administering } from '../../../services/accounts/administering.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

/** Somebody is to learn that another can log in as them. */
export const logsOut = Type.Optional(
  Type.Literal(true, { description: 'Whoever is given a password is logged out everywhere.' }),
);

export const resetPasswordOfUser = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/reset_password/:userId',
    operationId: 'resetPasswordOfUser',
    summary: 'Sets a new password for somebody, who is logged out everywhere.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String() }),
    body: Type.Object(
      {
        new_password: Type.String(),
        logout_devices: logsOut,
      },
      { title: 'PasswordForUser' },
    ),
    response: emptyObject,
  },
  ({ administering }: { administering: Administering }) =>
    async ({ params: { userId }, body }) => {
      await administering.setPassword(userId, body.new_password);
      return {};
    },
);
