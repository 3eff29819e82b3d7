import { MatrixError } from '../../../errors/matrix-error.ts';
import { getOpenIdUserInfo as operation } from '../../../federation-api/open-id.ts';
import type { OpenIdTokens } from '../../../services/openid/openid-tokens.ts';
import { endpoint } from '../../endpoint.ts';

export const getOpenIdUserInfo = endpoint(operation, ({ openIdTokens }: { readonly openIdTokens: OpenIdTokens }) => {
  return async ({ query: { access_token: token } }) => {
    if (token === undefined) throw new MatrixError('token.missing');
    const sub = await openIdTokens.findOwner(token);
    if (sub === undefined) throw new MatrixError('token.unknown');
    return { sub };
  };
});
