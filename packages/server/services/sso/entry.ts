import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import type { LoginTokens } from '../accounts/login-tokens.ts';
import { isTrusted, parseClientAddress, withLoginToken } from './client-address.ts';
import type { Guest, RunningLogins } from './running-logins.ts';
import { requireOpenAccount } from './standing.ts';
import type { SsoStep } from './steps.ts';
import type { Browser } from './browser.ts';

/** The way of somebody whose account is known back to their client, with a token to log in with. */
export interface Entry {
  /** Asks first, unless the client is trusted. Throws `user.deactivated` and `user.locked`. */
  enter(guest: Guest, browser: Browser): Promise<SsoStep>;
  /** Asks no more. `also` is committed with the token. */
  handOver(guest: Guest, also: (set: WriteSet) => void): Promise<SsoStep>;
  /** Adds the token to a write set, and answers where to go once that is committed. */
  plan(set: WriteSet, guest: Guest): SsoStep;
}

type Dependencies = {
  readonly db: Database;
  readonly trustedClients: readonly string[];
  readonly logins: RunningLogins;
  readonly loginTokens: LoginTokens;
};

export function createEntry({ db, trustedClients, logins, loginTokens }: Dependencies): Entry {
  function plan(set: WriteSet, { userId, redirectUrl, cameWith }: Guest): SsoStep {
    const { login_token: token } = loginTokens.plan(set, userId, cameWith);
    return { kind: 'leave', to: withLoginToken(parseClientAddress(redirectUrl), token) };
  }

  async function handOver(guest: Guest, also?: (set: WriteSet) => void): Promise<SsoStep> {
    await requireOpenAccount(db, guest.userId);
    const set = createWriteSet();
    also?.(set);
    const step = plan(set, guest);
    await db.commit(set);
    return step;
  }

  return {
    plan,
    handOver,
    async enter(guest, browser) {
      if (isTrusted(parseClientAddress(guest.redirectUrl), trustedClients)) return handOver(guest);
      await requireOpenAccount(db, guest.userId);
      return { kind: 'go-on', login: await logins.start({ step: 'hand-over', ...guest }, browser) };
    },
  };
}
