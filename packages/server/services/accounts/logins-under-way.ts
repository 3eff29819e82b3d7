import type { WriteSet } from '@portico/storage';
import { removeLoginTokens } from '@portico/storage/stores/accounts/login-tokens.ts';
import { removeSsoLogins } from '@portico/storage/stores/accounts/sso-logins.ts';

/**
 * Ends whatever would log somebody in later without asking anew: who keeps others out, or takes a way in away, keeps out those
 * as well who are half-way in.
 */
export function endLoginsUnderWay(set: WriteSet, userId: string): void {
  removeLoginTokens(set, userId);
  removeSsoLogins(set, userId);
}
