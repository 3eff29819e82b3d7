import type { Endpoint } from '../../endpoint.ts';
import { answerOAuthConsent, showOAuthConsent } from './consent.ts';
import { openDeviceLink, startDeviceGrant, submitDeviceLink } from './device.ts';
import { getAuthMetadata } from './get-auth-metadata.ts';
import {
  answerOAuthLogin,
  authorizeOAuthClient,
  comeBackFromProvider,
  leaveForProvider,
  showOAuthLogin,
} from './log-in.ts';
import { makeNewAccount, showNewAccount } from './new-account.ts';
import { registerOAuthClient } from './register-client.ts';
import type { OAuthServices } from './services.ts';
import { giveOAuthTokens, revokeOAuthToken } from './tokens.ts';

/** Logging in as OAuth 2.0 has it. */
export const oauthEndpoints: readonly Endpoint<OAuthServices>[] = [
  getAuthMetadata,
  registerOAuthClient,
  authorizeOAuthClient,
  showOAuthLogin,
  answerOAuthLogin,
  leaveForProvider,
  comeBackFromProvider,
  showNewAccount,
  makeNewAccount,
  showOAuthConsent,
  answerOAuthConsent,
  startDeviceGrant,
  openDeviceLink,
  submitDeviceLink,
  giveOAuthTokens,
  revokeOAuthToken,
];
