import { Type } from 'typebox';

export const identifier = {
  medium: Type.Union([Type.Literal('email'), Type.Literal('msisdn')]),
  address: Type.String(),
};

export const unbound = Type.Object(
  { id_server_unbind_result: Type.Union([Type.Literal('success'), Type.Literal('no-support')]) },
  { title: 'Unbound' },
);

export const bindRequest = Type.Object(
  {
    client_secret: Type.String(),
    id_server: Type.String(),
    id_access_token: Type.String(),
    sid: Type.String(),
  },
  { title: 'IdentityCredentials' },
);

/** Deprecated, and of no use since this server proves addresses itself. */
const identityServer = {
  id_server: Type.Optional(Type.String()),
  id_access_token: Type.Optional(Type.String()),
};

const attempt = {
  client_secret: Type.String(),
  send_attempt: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  next_link: Type.Optional(Type.String()),
  ...identityServer,
};

export const emailTokenRequest = Type.Object({ email: Type.String(), ...attempt }, { title: 'EmailTokenRequest' });

export const phoneTokenRequest = Type.Object(
  { country: Type.String(), phone_number: Type.String(), ...attempt },
  { title: 'PhoneTokenRequest' },
);

export const tokenRequested = Type.Object(
  { sid: Type.String(), submit_url: Type.Optional(Type.String()) },
  { title: 'TokenRequested' },
);
