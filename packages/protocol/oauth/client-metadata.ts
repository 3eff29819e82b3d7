import type { JsonObject, JsonValue } from '../json/value.ts';
import {
  type ApplicationType,
  checkRedirectUri,
  parseClientDocument,
  parseClientUri,
  type RedirectUriRule,
} from './redirect-uri.ts';

export const grantTypes = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
] as const;
export type GrantType = (typeof grantTypes)[number];

/** What is kept of what a client says about itself. */
export type ClientMetadata = {
  readonly application_type: ApplicationType;
  readonly client_name?: string;
  readonly client_uri: string;
  readonly grant_types: readonly GrantType[];
  readonly logo_uri?: string;
  readonly policy_uri?: string;
  readonly redirect_uris: readonly string[];
  readonly response_types: readonly 'code'[];
  /** "most Matrix clients are client-side only, do not have a server component, and therefore are public clients." */
  readonly token_endpoint_auth_method: 'none';
  readonly tos_uri?: string;
};

export type ClientMetadataRule =
  | RedirectUriRule
  | 'client_uri'
  | 'client_name'
  | 'application_type'
  | 'grant_types'
  | 'redirect_uris'
  | 'response_types'
  | 'token_endpoint_auth_method';

export type ClientMetadataDecision =
  | { readonly kind: 'ok'; readonly metadata: ClientMetadata }
  | { readonly kind: 'refused'; readonly rule: ClientMetadataRule };

const longestName = 100;
const mostRedirectUris = 16;

/** They end a line, or turn around what follows them: a name must not change what is said about it. */
const unfitForNames = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/**
 * What a client may be registered as. What is not known here is left out, the names in other languages too.
 *
 * > The server MUST ignore values that it does not understand.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#client-metadata}
 */
export function parseClientMetadata(given: JsonObject): ClientMetadataDecision {
  const clientUri = typeof given['client_uri'] === 'string' ? parseClientUri(given['client_uri']) : undefined;
  if (clientUri === undefined) return refused('client_uri');
  const type = given['application_type'] ?? 'web';
  if (type !== 'web' && type !== 'native') return refused('application_type');
  if ((given['token_endpoint_auth_method'] ?? 'none') !== 'none') return refused('token_endpoint_auth_method');

  // "If omitted, the default behavior is that the client will use only the `authorization_code` Grant Type."
  const grants = textsOf(given['grant_types'] ?? ['authorization_code']);
  const known = grantTypes.filter((grant) => grants?.includes(grant) === true);
  if (known.length === 0) return refused('grant_types');
  const usesCodes = known.includes('authorization_code');
  const responses = textsOf(given['response_types'] ?? ['code']);
  if (responses === undefined || (usesCodes && !responses.includes('code'))) return refused('response_types');

  const redirectUris = textsOf(given['redirect_uris'] ?? []);
  if (redirectUris === undefined || redirectUris.length > mostRedirectUris) return refused('redirect_uris');
  if (usesCodes && redirectUris.length === 0) return refused('redirect_uris');
  for (const uri of redirectUris) {
    const decision = checkRedirectUri(uri, clientUri, type);
    if (decision.kind === 'refused') return refused(decision.rule);
  }

  const name = given['client_name'];
  if (name !== undefined && !isName(name)) return refused('client_name');
  return {
    kind: 'ok',
    metadata: {
      application_type: type,
      ...(name !== undefined && { client_name: name }),
      client_uri: clientUri.href,
      grant_types: known,
      ...documentsOf(given, clientUri),
      redirect_uris: redirectUris,
      response_types: usesCodes ? ['code'] : [],
      token_endpoint_auth_method: 'none',
    },
  };
}

const isName = (name: JsonValue): name is string =>
  typeof name === 'string' && name.trim() !== '' && name.length <= longestName && !unfitForNames.test(name);

/**
 * Addresses elsewhere are left out rather than refused: clients in use register with them, and do well without.
 *
 * > The authorization server MAY reject or replace any of the client's requested metadata values
 */
function documentsOf(given: JsonObject, clientUri: URL): Pick<ClientMetadata, 'logo_uri' | 'policy_uri' | 'tos_uri'> {
  const documents: Record<string, string> = {};
  for (const field of ['logo_uri', 'policy_uri', 'tos_uri']) {
    const text = given[field];
    const url = typeof text === 'string' ? parseClientDocument(text, clientUri) : undefined;
    if (url !== undefined) documents[field] = url.href;
  }
  return documents;
}

function textsOf(value: JsonValue): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}

function refused(rule: ClientMetadataRule): ClientMetadataDecision {
  return { kind: 'refused', rule };
}
