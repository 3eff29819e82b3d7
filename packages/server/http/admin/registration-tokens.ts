import { type Static, Type } from 'typebox';
import type { RegistrationToken, RegistrationTokens } from '../../services/accounts/registration-tokens.ts';
import { endpoint } from '../endpoint.ts';
import { emptyObject } from '../schemas.ts';

type Services = { readonly registrationTokens: RegistrationTokens };

const path = '/_synapse/admin/v1/registration_tokens';
const params = Type.Object({ token: Type.String() });
const optionalCount = Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]);
const limits = {
  uses_allowed: Type.Optional(optionalCount),
  expiry_time: Type.Optional(Type.Union([Type.Integer({ minimum: 0, description: 'Milliseconds.' }), Type.Null()])),
};

const registrationToken = Type.Object(
  {
    token: Type.String(),
    uses_allowed: optionalCount,
    pending: Type.Literal(0, { description: 'A use counts once the account is made.' }),
    completed: Type.Integer(),
    expiry_time: Type.Union([Type.Integer(), Type.Null()]),
  },
  { title: 'RegistrationToken' },
);

function toToken({ token, usesAllowed, completed, expiresAt }: RegistrationToken): Static<typeof registrationToken> {
  return { token, uses_allowed: usesAllowed, pending: 0, completed, expiry_time: expiresAt };
}

export const listRegistrationTokens = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'listRegistrationTokens',
    summary: 'Lists the first thousand of the tokens with which people sign up.',
    auth: 'admin',
    query: Type.Object({
      valid: Type.Optional(
        Type.Boolean({ description: 'Only those that somebody can sign up with, or only the others.' }),
      ),
    }),
    response: Type.Object({ registration_tokens: Type.Array(registrationToken) }, { title: 'RegistrationTokenList' }),
  },
  ({ registrationTokens }: Services) =>
    async ({ query: { valid } }) => {
      const tokens = await registrationTokens.list();
      const wanted = tokens.filter((token) => valid === undefined || token.isValid === valid);
      return { registration_tokens: wanted.map(toToken) };
    },
);

export const getRegistrationToken = endpoint(
  {
    method: 'GET',
    path: `${path}/:token`,
    operationId: 'getRegistrationToken',
    summary: 'Tells how often a registration token was used, and until when it is valid.',
    auth: 'admin',
    params,
    response: registrationToken,
  },
  ({ registrationTokens }: Services) =>
    async ({ params: { token } }) =>
      toToken(await registrationTokens.get(token)),
);

export const addRegistrationToken = endpoint(
  {
    method: 'POST',
    path: `${path}/new`,
    operationId: 'addRegistrationToken',
    summary: 'Makes a registration token, of the given text or a random one.',
    auth: 'admin',
    body: Type.Object(
      {
        token: Type.Optional(Type.Union([Type.String(), Type.Null()])),
        length: Type.Optional(
          Type.Union([Type.Integer({ minimum: 1, maximum: 64 }), Type.Null()], { description: 'Of a random one.' }),
        ),
        ...limits,
      },
      { title: 'RegistrationTokenToAdd' },
    ),
    response: registrationToken,
  },
  ({ registrationTokens }: Services) =>
    async ({ body }) => {
      const token = await registrationTokens.add({
        token: body.token ?? undefined,
        length: body.length ?? undefined,
        usesAllowed: body.uses_allowed ?? undefined,
        expiresAt: body.expiry_time ?? undefined,
      });
      return toToken(await registrationTokens.get(token));
    },
);

export const changeRegistrationToken = endpoint(
  {
    method: 'PUT',
    path: `${path}/:token`,
    operationId: 'changeRegistrationToken',
    summary: 'Changes how often a registration token can be used, and until when.',
    auth: 'admin',
    params,
    body: Type.Object(limits, { title: 'RegistrationTokenLimits' }),
    response: registrationToken,
  },
  ({ registrationTokens }: Services) =>
    async ({ params: { token }, body }) => {
      await registrationTokens.change(token, { usesAllowed: body.uses_allowed, expiresAt: body.expiry_time });
      return toToken(await registrationTokens.get(token));
    },
);

export const revokeRegistrationToken = endpoint(
  {
    method: 'DELETE',
    path: `${path}/:token`,
    operationId: 'revokeRegistrationToken',
    summary: 'Makes a registration token invalid.',
    auth: 'admin',
    params,
    response: emptyObject,
  },
  ({ registrationTokens }: Services) =>
    async ({ params: { token } }) => {
      await registrationTokens.revoke(token);
      return {};
    },
);

export const registrationTokenEndpoints = [
  listRegistrationTokens,
  getRegistrationToken,
  addRegistrationToken,
  changeRegistrationToken,
  revokeRegistrationToken,
];
