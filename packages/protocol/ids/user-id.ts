import { domainOf, isNamespacedIdentifier, maxIdentifierBytes } from './identifier.ts';
import type { ServerName } from './server-name.ts';

declare const userIdBrand: unique symbol;
/** A user ID that {@link parseUserId} accepted, historical ones included. */
export type UserId = string & { readonly [userIdBrand]: true };

/**
 * Accepts what other servers may send: historical localparts of any Unicode but `:` and NUL, the empty one included.
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#historical-user-ids}
 */
export function isUserId(text: string): text is UserId {
  return isNamespacedIdentifier(text, '@');
}

/** The text as a user ID, a historical one included, or `undefined` where it is none. */
export function parseUserId(text: string): UserId | undefined {
  return isUserId(text) ? text : undefined;
}

/** The server to which a user, alias or room ID with a domain belongs. */
export function serverNameOf(id: UserId): ServerName;
export function serverNameOf(id: string): string | undefined;
export function serverNameOf(id: string): string | undefined {
  return domainOf(id);
}

/** What stands between the `@` and the first colon of a user ID. */
export function localpartOf(userId: string): string {
  return userId.slice(1, userId.indexOf(':'));
}

const printableAscii = /^@[\u0021-\u0039\u003b-\u007e]+:/;

/**
 * > User IDs with localparts containing characters outside the range U+0021 to U+007E, or with an empty localpart, are
 * > considered non-compliant. […] servers […] SHOULD NOT forward such user IDs to clients when referenced outside the
 * > context of an event.
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#historical-user-ids}
 */
export function isCompliantUserId(userId: UserId): boolean {
  return printableAscii.test(userId);
}

const newLocalpart = /^[a-z0-9._=/+-]+$/;

export type NewUserIdDecision =
  | { readonly kind: 'ok'; readonly userId: UserId }
  | { readonly kind: 'reject'; readonly rule: 'user_id.localpart' | 'user_id.too_long'; readonly reason: string };

/** The user ID of a new account. {@link https://spec.matrix.org/v1.19/appendices/#user-identifiers} */
export function checkNewUserId(localpart: string, server: ServerName): NewUserIdDecision {
  if (!newLocalpart.test(localpart)) {
    const reason = 'A user name has one or more of the characters a-z, 0-9 and . _ = - / +';
    return { kind: 'reject', rule: 'user_id.localpart', reason };
  }
  const userId = `@${localpart}:${server}`;
  if (userId.length > maxIdentifierBytes) {
    return { kind: 'reject', rule: 'user_id.too_long', reason: 'A user ID has at most 255 bytes' };
  }
  return { kind: 'ok', userId: userId as UserId };
}
