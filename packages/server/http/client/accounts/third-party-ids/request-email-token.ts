import { MatrixError } from '../../../../errors/matrix-error.ts';
import type { Registration } from '../../../../services/accounts/registration.ts';
import type { EmailValidations } from '../../../../services/third-party-ids/validations.ts';
import { endpoint } from '../../../endpoint.ts';
import { emailTokenRequest, phoneTokenRequest, tokenRequested } from './schemas.ts';

const request = {
  method: 'POST',
  auth: 'none',
  rateLimit: 'request-token',
  body: emailTokenRequest,
  response: tokenRequested,
} as const;

type Services = { emailValidations: EmailValidations };

export const requestTokenToAddEmail = endpoint(
  {
    ...request,
    path: '/_matrix/client/v3/account/3pid/email/requestToken',
    operationId: 'requestTokenTo3PIDEmail',
    summary: "Begins the validation process for an email address for association with the user's account.",
  },
  ({ emailValidations }: Services) =>
    async ({ body }) => ({ sid: await emailValidations.request('add', body) }),
);

export const requestTokenToResetPassword = endpoint(
  {
    ...request,
    path: '/_matrix/client/v3/account/password/email/requestToken',
    operationId: 'requestTokenToResetPasswordEmail',
    summary: "Requests a validation token be sent to the given email address to reset a user's password.",
  },
  ({ emailValidations }: Services) =>
    async ({ body }) => ({ sid: await emailValidations.request('reset', body) }),
);

export const requestTokenToRegister = endpoint(
  {
    ...request,
    path: '/_matrix/client/v3/register/email/requestToken',
    operationId: 'requestTokenToRegisterEmail',
    summary: 'Begins the validation process for an email to be used during registration.',
  },
  ({ emailValidations, registration }: Services & { registration: Registration }) =>
    async ({ body }) => {
      registration.refuseIfClosed();
      return { sid: await emailValidations.request('register', body) };
    },
);

/** Phone numbers are not supported; clients are told so in the words of the spec. */
function refusePhone(path: string, operationId: string, summary: string) {
  return endpoint({ ...request, body: phoneTokenRequest, path, operationId, summary }, () => () => {
    throw new MatrixError('third-party.not-supported', { message: 'This server does not support phone numbers.' });
  });
}

export const phoneTokenEndpoints = [
  refusePhone(
    '/_matrix/client/v3/account/3pid/msisdn/requestToken',
    'requestTokenTo3PIDMSISDN',
    "Begins the validation process for a phone number for association with the user's account.",
  ),
  refusePhone(
    '/_matrix/client/v3/account/password/msisdn/requestToken',
    'requestTokenToResetPasswordMSISDN',
    "Requests a validation token be sent to the given phone number to reset a user's password.",
  ),
  refusePhone(
    '/_matrix/client/v3/register/msisdn/requestToken',
    'requestTokenToRegisterMSISDN',
    'Begins the validation process for a phone number to be used during registration.',
  ),
];
