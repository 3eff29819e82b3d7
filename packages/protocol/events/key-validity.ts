import type { RoomVersionRules } from '../room-versions/rules.ts';

/** What is known about when a server's key may be used, in milliseconds. */
export type KeyValidity = {
  /** Of a key under `verify_keys`: the `valid_until_ts` of the response that had it. */
  readonly validUntilTs?: number | undefined;
  /** Of a key under `old_verify_keys`. */
  readonly expiredTs?: number | undefined;
};

/**
 * > Servers MUST use the lesser of `valid_until_ts` and 7 days into the future when determining if a key is valid.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v5/#signing-key-validity-period}
 */
export const maxKeyValidityMs = 7 * 24 * 60 * 60 * 1000;

/** Whether a signature by this key counts on an event of this time. */
export function isKeyValidAt(rules: RoomVersionRules, key: KeyValidity, originServerTs: number, now: number): boolean {
  // "any keys that are known to have expired prior to the event's `origin_server_ts` are ignored"
  if (key.expiredTs !== undefined) return originServerTs <= key.expiredTs;
  if (!rules.enforceKeyValidity) return true;
  if (key.validUntilTs === undefined) return false;
  return originServerTs <= Math.min(key.validUntilTs, now + maxKeyValidityMs);
}
