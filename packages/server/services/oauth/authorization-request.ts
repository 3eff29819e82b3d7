import { matchesRedirectUri } from '@portico/protocol/oauth/redirect-uri.ts';
import { parseScope, type ScopeDecision, withDevice } from '@portico/protocol/oauth/scope.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { OAuthClient } from './clients.ts';
import { answerAddress, type Wish } from './wish.ts';

/** The query of an authorisation request, as far as it means something here. */
export type AuthorizationQuery = Readonly<
  Partial<
    Record<
      | 'client_id'
      | 'redirect_uri'
      | 'response_type'
      | 'response_mode'
      | 'scope'
      | 'state'
      | 'code_challenge'
      | 'code_challenge_method'
      | 'prompt',
      string
    >
  >
>;

export type RequestDecision =
  | { readonly kind: 'ok'; readonly wish: Wish; readonly wantsAccount: boolean }
  | { readonly kind: 'refused'; readonly error: string; readonly message: string; readonly to: string };

const longestState = 4096;
/** The SHA-256 of a verifier, in Base64 for addresses. */
const challengeForm = /^[\w-]{43}$/;

/**
 * What a client asks for. Throws `oauth.bad-redirect` where it cannot be told what is wrong, as that is no address of its own.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#authorisation-code-flow}
 */
export function readAuthorizationRequest(
  client: OAuthClient,
  query: AuthorizationQuery,
  { issuer, newDeviceId }: { readonly issuer: string; readonly newDeviceId: () => string },
): RequestDecision {
  const { redirect_uri: redirectUri, response_mode: mode = 'query', state } = query;
  const { redirect_uris: registered, grant_types: grants } = client.metadata;
  if (redirectUri === undefined || !registered.some((uri) => matchesRedirectUri(uri, redirectUri))) {
    throw new MatrixError('oauth.bad-redirect');
  }
  const responseMode = mode === 'fragment' ? 'fragment' : 'query';
  const isLong = state !== undefined && state.length > longestState;
  function refuse(error: string, message: string): RequestDecision {
    const parameters = { error, error_description: message, state: isLong ? undefined : state, iss: issuer };
    return {
      kind: 'refused',
      error,
      message,
      to: answerAddress({ redirectUri: redirectUri ?? '', responseMode }, parameters),
    };
  }

  if (isLong) return refuse('invalid_request', 'The state is too long.');
  if (mode !== responseMode) return refuse('invalid_request', 'The response mode has to be query or fragment.');
  if (query.response_type !== 'code') return refuse('unsupported_response_type', 'The response type has to be code.');
  if (!grants.includes('authorization_code')) {
    return refuse('unauthorized_client', 'The client is not registered for codes.');
  }
  const { code_challenge: codeChallenge, code_challenge_method: method } = query;
  if (method !== 'S256' || codeChallenge === undefined || !challengeForm.test(codeChallenge)) {
    return refuse('invalid_request', 'A code challenge of the method S256 is needed.');
  }
  const scope = parseScope(query.scope ?? '');
  if (scope.kind === 'refused') {
    return refuse(
      'invalid_scope',
      `The scope has to be that of the client-server API and of one device: ${scope.rule}`,
    );
  }
  const prompts = query.prompt?.split(' ') ?? [];
  // Nobody is logged in to these pages beforehand.
  if (prompts.includes('none')) return refuse('login_required', 'Somebody has to log in.');
  return {
    kind: 'ok',
    wantsAccount: prompts.includes('create'),
    wish: {
      clientId: client.id,
      ...deviceOf(scope, newDeviceId),
      way: { kind: 'redirect', redirectUri, responseMode, codeChallenge, ...(state !== undefined && { state }) },
    },
  };
}

type Granted = Extract<ScopeDecision, { kind: 'ok' }>;

/** On which device the client is to be let in: the one that it names, or a new one. */
export function deviceOf(
  { deviceId, granted }: Granted,
  newDeviceId: () => string,
): { readonly deviceId: string; readonly scope: string } {
  if (deviceId !== undefined) return { deviceId, scope: granted };
  const made = newDeviceId();
  return { deviceId: made, scope: withDevice(granted, made) };
}
