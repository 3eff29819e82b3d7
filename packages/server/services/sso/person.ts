import { parseEmailAddress } from '@portico/protocol/ids/email-address.ts';
import type { ProviderSession } from '@portico/storage/stores/accounts/provider-sessions.ts';
import type { IdentityProvider } from '../../config/identity-provider.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { cutDisplayName } from '../profile/profile-value.ts';
import type { Claims } from './oidc-client.ts';

/** Who somebody is at a provider. */
export type ExternalPerson = {
  readonly provider: string;
  readonly subject: string;
  /** As they are called there: whether a user ID may have it is another question. */
  readonly localpart: string | undefined;
  readonly displayName: string | undefined;
  /** Only one that is theirs, as the provider knows. */
  readonly email: string | undefined;
  /** Their session there, and when they came from it: known where the provider tells when it ends. */
  readonly session: Pick<ProviderSession, 'sid' | 'begunAt'> | undefined;
};

/** With which session of the provider somebody logs in, where it is one that it may end. */
export function cameWith({ provider, subject, session }: ExternalPerson): ProviderSession | undefined {
  return session && { provider, subject, ...session };
}

/** Throws `sso.missing-claim` for those who may not log in. */
export function readPerson(provider: IdentityProvider, claims: Claims, begunAt: number): ExternalPerson {
  for (const [name, wanted] of provider.requiredClaims) {
    if (!hasOneOf(findClaim(claims, name), wanted)) throw new MatrixError('sso.missing-claim');
  }
  const text = (name: string): string | undefined => textOf(findClaim(claims, name));
  const email = text(provider.claims.email);
  // The claim is about the address that is in `email`: another one takes another proof.
  const isTheirs = findClaim(claims, `${provider.claims.email}_verified`) === true;
  return {
    provider: provider.id,
    subject: claims.sub,
    localpart: text(provider.claims.localpart)?.slice(0, 255),
    displayName: cutDisplayName(text(provider.claims.displayName)),
    email: email !== undefined && isTheirs ? parseEmailAddress(email) : undefined,
    session: provider.endsSessions ? { ...(claims.sid !== undefined && { sid: claims.sid }), begunAt } : undefined,
  };
}

/** By its name, or by the names on the way to one that is in objects: `realm_access.roles`. */
function findClaim(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

function hasOneOf(value: unknown, wanted: readonly string[]): boolean {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.some((each) => wanted.includes(typeof each === 'boolean' ? String(each) : (textOf(each) ?? '')));
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  // What a database of either kind keeps: no NUL, no half of a character.
  return typeof value === 'string' && value !== '' && !value.includes('\0') && value.isWellFormed() ? value : undefined;
}
