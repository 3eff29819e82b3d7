import { Type } from 'typebox';
import type { OpenIdTokens } from '../../../services/openid/openid-tokens.ts';
import { endpoint } from '../../endpoint.ts';
import { refuseOthers } from '../account-data/own-user.ts';

export const requestOpenIdToken = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/user/:userId/openid/request_token',
    operationId: 'requestOpenIdToken',
    summary: "Get an OpenID token to verify the requester's identity",
    auth: 'user',
    rateLimit: 'openid',
    params: Type.Object({ userId: Type.String() }),
    response: Type.Object(
      {
        access_token: Type.String(),
        token_type: Type.String(),
        matrix_server_name: Type.String(),
        expires_in: Type.Integer(),
      },
      { title: 'OpenIdToken' },
    ),
  },
  ({ openIdTokens }: { openIdTokens: OpenIdTokens }) =>
    ({ sender, params }) => {
      refuseOthers(sender, params.userId);
      return openIdTokens.issue(sender.userId);
    },
);
