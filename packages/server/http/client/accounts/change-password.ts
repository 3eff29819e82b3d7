import { Type } from 'typebox';
import type { PasswordChange } from '../../../services/accounts/password-change.ts';
import type { PasswordReset } from '../../../services/accounts/password-reset.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { authData } from './schemas.ts';

export const changePassword = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/account/password',
    operationId: 'changePassword',
    summary: "Changes a user's password.",
    auth: 'optional',
    rateLimit: 'own-password',
    body: Type.Object(
      {
        new_password: Type.String(),
        logout_devices: Type.Optional(Type.Boolean()),
        auth: Type.Optional(authData),
      },
      { title: 'PasswordChange' },
    ),
    response: emptyObject,
  },
  ({ passwordChange, passwordReset }: { passwordChange: PasswordChange; passwordReset: PasswordReset }) =>
    async ({ sender, body }) => {
      await (sender === undefined ? passwordReset.reset(body) : passwordChange.change(sender, body));
      return {};
    },
);
