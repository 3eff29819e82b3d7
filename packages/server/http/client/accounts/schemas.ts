import { Type } from 'typebox';
import type { AuthData } from '../../../services/accounts/uia.ts';

/** What a client submits for a stage; the stage knows what else belongs there. */
export const authData = Type.Unsafe<AuthData>({
  title: 'AuthenticationData',
  type: 'object',
  properties: {
    type: { type: 'string' },
    // Clients of matrix-rust-sdk that have no session yet write null.
    session: { anyOf: [{ type: 'string' }, { type: 'null' }] },
  },
});

export const registered = Type.Object(
  {
    user_id: Type.String(),
    access_token: Type.Optional(Type.String()),
    device_id: Type.Optional(Type.String()),
    home_server: Type.Optional(Type.String()),
    refresh_token: Type.Optional(Type.String()),
    expires_in_ms: Type.Optional(Type.Integer()),
  },
  { title: 'Registered' },
);
