import { createHmac } from 'node:crypto';
import { hashToken } from '../accounts/access-tokens.ts';
import type { Proof } from './oidc-client.ts';

/** One that somebody logs in with. */
export type Browser = {
  /** What it keeps. */
  readonly secret: string;
  /** Where it is, as `networkKey` has it: none takes the place of all others. */
  readonly network: string;
};

/** 256 bits as text, as `newAccessToken` makes them. */
const form = /^[\w-]{43}$/;

/** What a browser says that it was given, if it can be that. */
export function parseBrowserSecret(value: string | undefined): string | undefined {
  return value !== undefined && form.test(value) ? value : undefined;
}

export function hashBrowser({ secret }: Browser): string {
  return hashToken(`browser ${secret}`);
}

/**
 * What the provider is shown of one login. Nonce and verifier are made of what only the browser has, so that nobody else can go
 * on with it: the database does not have them.
 */
export function proofOf({ secret }: Browser, state: string): Proof {
  const derive = (purpose: string): string =>
    createHmac('sha256', secret).update(`${purpose} ${state}`).digest('base64url');
  return { state, nonce: derive('nonce'), verifier: derive('verifier') };
}
