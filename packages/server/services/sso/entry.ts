import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import type { LoginTokens } from '../accounts/login-tokens.ts';
import { isTrusted, parseClientAddress, withLoginToken } from './client-address.ts';
import type { RunningLogins } from './running-logins.ts';
import { requireOpenAccount } from './standing.ts';
import type { SsoStep } from './steps.ts';

/** The way of somebody whose account is known back to their client, with a token to log in with. */
export interface Entry {
  /** Asks first, unless the client is trusted. Throws `user.deactivated` and `user.locked`. */
  enter(userId: string, redirectUrl: string, browser: string): Promise<SsoStep>;
  /** Asks no more. `also` is committed with the token. */
  handOver(userId: string, redirectUrl: string, also: (set: WriteSet) => void): Promise<SsoStep>;
  /** Adds the token to a write set, and answers where to go once that is committed. */
  plan(set: WriteSet, userId: string, redirectUrl: string): SsoStep;
}

type Dependencies = {
  readonly db: Database;
  readonly trustedClients: readonly string[];
  readonly logins: RunningLogins;
  readonly loginTokens: LoginTokens;
};

export function createEntry({ db, trustedClients, logins, loginTokens }: Dependencies): Entry {
  function plan(set: WriteSet, userId: string, redirectUrl: string): SsoStep {
    const { login_token: token } = loginTokens.plan(set, userId);
    return { kind: 'leave', to: withLoginToken(parseClientAddress(redirectUrl), token) };
  }

  async function handOver(userId: string, redirectUrl: string, also?: (set: WriteSet) => void): Promise<SsoStep> {
    await requireOpenAccount(db, userId);
    const set = createWriteSet();
    also?.(set);
    const step = plan(set, userId, redirectUrl);
    await db.commit(set);
    return step;
  }

  return {
    plan,
    handOver,
    async enter(userId, redirectUrl, browser) {
      if (isTrusted(parseClientAddress(redirectUrl), trustedClients)) return handOver(userId, redirectUrl);
      await requireOpenAccount(db, userId);
      return { kind: 'go-on', login: await logins.start({ step: 'hand-over', redirectUrl, userId }, browser) };
    },
  };
}
