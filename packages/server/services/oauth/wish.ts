import type { OAuthClient } from './clients.ts';

/** Where the answer goes when somebody has said yes or no. */
export type Way =
  | {
      readonly kind: 'redirect';
      readonly redirectUri: string;
      readonly responseMode: 'query' | 'fragment';
      readonly state?: string;
      readonly codeChallenge: string;
    }
  /** A device without a browser waits for it. */
  | { readonly kind: 'device'; readonly deviceCodeHash: string; readonly userCode: string };

/** What a client wants: to be let in to somebody's account, on a device. */
export type Wish = {
  readonly clientId: string;
  readonly deviceId: string;
  readonly scope: string;
  readonly way: Way;
};

/** A client as people are shown it. It has chosen all of it, so it is escaped, and its host stands beside its name. */
export type ShownClient = {
  readonly name: string;
  readonly host: string;
  readonly uri: string;
  readonly termsUri?: string;
  readonly policyUri?: string;
};

export function showClient({ metadata }: OAuthClient): ShownClient {
  const { host } = new URL(metadata.client_uri);
  return {
    name: metadata.client_name ?? host,
    host,
    uri: metadata.client_uri,
    ...(metadata.tos_uri !== undefined && { termsUri: metadata.tos_uri }),
    ...(metadata.policy_uri !== undefined && { policyUri: metadata.policy_uri }),
  };
}

/** The origin or the scheme that a browser is led to, as a policy for forms names it. */
export function targetOf(redirectUri: string): string {
  const url = new URL(redirectUri);
  return /^https?:$/.test(url.protocol) ? url.origin : url.protocol;
}

/**
 * The address at which a client gets its answer.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#callback}
 */
export function answerAddress(
  { redirectUri, responseMode }: Pick<Extract<Way, { kind: 'redirect' }>, 'redirectUri' | 'responseMode'>,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const said = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const text = new URLSearchParams(said).toString();
  if (responseMode === 'fragment') return `${redirectUri}#${text}`;
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${text}`;
}
