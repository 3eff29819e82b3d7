import { knownScopes } from '@portico/protocol/oauth/scope.ts';
import { Type } from 'typebox';
import { endpoint } from '../../endpoint.ts';
import { clientWellKnown } from '../discovery/base-url.ts';
import { oauthPath } from './paths.ts';
import type { OAuthServices } from './services.ts';

const texts = Type.Array(Type.String());

/** What the account page leads to at once, with the names that the proposal had: some apps in use look for those. */
const accountActions = [
  'org.matrix.devices_list',
  'org.matrix.device_view',
  'org.matrix.device_delete',
  'org.matrix.account_deactivate',
  'org.matrix.sessions_list',
  'org.matrix.session_view',
  'org.matrix.session_end',
];

/**
 * Where libraries for OpenID Connect look: matrix-js-sdk before 42 asks there for what it has been told already, and its button
 * for logging in does nothing where there is nothing. It stays without `jwks_uri`: clients that want ID tokens, of which there
 * are none, see by that to go on with the password.
 */
const belowIssuer = '/.well-known/openid-configuration';

export const getAuthMetadata = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/auth_metadata',
    unstablePaths: ['/_matrix/client/unstable/org.matrix.msc2965/auth_metadata', belowIssuer],
    operationId: 'getAuthMetadata',
    summary: 'Get the OAuth 2.0 authorisation server metadata.',
    auth: 'none',
    response: Type.Object(
      {
        issuer: Type.String(),
        authorization_endpoint: Type.String(),
        token_endpoint: Type.String(),
        revocation_endpoint: Type.String(),
        registration_endpoint: Type.String(),
        response_types_supported: texts,
        response_modes_supported: texts,
        grant_types_supported: texts,
        scopes_supported: texts,
        code_challenge_methods_supported: texts,
        token_endpoint_auth_methods_supported: texts,
        authorization_response_iss_parameter_supported: Type.Boolean(),
        prompt_values_supported: Type.Optional(texts),
        device_authorization_endpoint: Type.Optional(Type.String()),
        account_management_uri: Type.Optional(Type.String()),
        account_management_actions_supported: Type.Optional(texts),
      },
      { title: 'OAuthServerMetadata' },
    ),
  },
  ({ oauth, discovery }: OAuthServices) =>
    () => {
      const root = clientWellKnown(discovery)['m.homeserver'].base_url;
      const base = `${root}${oauthPath}`;
      return {
        issuer: oauth.issuer,
        authorization_endpoint: `${base}/authorize`,
        token_endpoint: `${base}/token`,
        revocation_endpoint: `${base}/revoke`,
        registration_endpoint: `${base}/clients`,
        device_authorization_endpoint: `${base}/device`,
        response_types_supported: ['code'],
        response_modes_supported: ['query', 'fragment'],
        grant_types_supported: oauth.grantTypes,
        scopes_supported: knownScopes,
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
        authorization_response_iss_parameter_supported: true,
        ...(oauth.hasAccountPage && {
          account_management_uri: `${root}/account`,
          account_management_actions_supported: accountActions,
        }),
        ...(oauth.offersAccounts && { prompt_values_supported: ['create'] }),
      };
    },
);
