import type { WriteSet } from '../../database.ts';
import { removeOAuthCodes } from '../oauth/oauth-codes.ts';
import { removeDeviceGrants } from '../oauth/oauth-device-grants.ts';
import { oauthRequests } from '../oauth/oauth-requests.ts';
import { removeLoginTokens } from './login-tokens.ts';
import { ssoLogins } from './sso-logins.ts';

/**
 * Ends whatever would log somebody in later without asking anew, tokens, codes, and clients that were let in: who keeps others out,
 * or takes a way in away, keeps out those as well who are half-way in.
 */
export function endLoginsUnderWay(set: WriteSet, userId: string): void {
  removeLoginTokens(set, userId);
  ssoLogins.removeAllOf(set, userId);
  oauthRequests.removeAllOf(set, userId);
  removeOAuthCodes(set, userId);
  removeDeviceGrants(set, userId);
}
