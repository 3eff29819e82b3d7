import { MatrixError } from '../../../errors/matrix-error.ts';
import type { OAuth } from '../../../services/oauth/oauth.ts';
import type { SsoServices } from '../sso/services.ts';

export type OAuthServices = Pick<SsoServices, 'browserCookie' | 'serverName' | 'sso'> & {
  /** `undefined` where nobody logs in so. */
  readonly oauth: OAuth | undefined;
};

/**
 * > With `M_UNRECOGNIZED`: the homeserver does not support the OAuth 2.0 API.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1auth_metadata}
 */
export function requireOAuth(oauth: OAuth | undefined): OAuth {
  if (oauth === undefined) throw new MatrixError('request.unknown-path');
  return oauth;
}
