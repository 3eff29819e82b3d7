import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { requirePasswordHash } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { addProviderSession } from '@portico/storage/stores/accounts/provider-sessions.ts';
import { findThirdPartyOwner } from '@portico/storage/stores/accounts/third-party-ids.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { AppServiceClaim } from '../appservices/claim.ts';
import type { Identifier } from '../identity/identity-client.ts';
import type { RateLimiter } from '../rate-limit/rate-limiter.ts';
import { canonical } from '../third-party-ids/canonical.ts';
import { type AppServiceAccounts, appServiceLoginTypes } from './app-service-accounts.ts';
import { isGuardFailure } from './guards.ts';
import { userIdOf } from './names.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { redeemLoginToken } from './redeem-login-token.ts';
import type { DeviceRequest, Session, Sessions } from './sessions.ts';

/** Whom a client means to log in, in one of the ways in which it may say so. */
export type WhoLogsIn = {
  readonly identifier?: {
    readonly type: string;
    readonly user?: string;
    readonly medium?: string;
    readonly address?: string;
  };
  /** Deprecated, and still what some clients send. */
  readonly user?: string;
  /** Deprecated, together with `address`. */
  readonly medium?: string;
  readonly address?: string;
};

export type LoginRequest = DeviceRequest &
  WhoLogsIn & {
    readonly type: string;
    readonly password?: string;
    /** For `m.login.token`. */
    readonly token?: string;
  };

export interface Login {
  logIn(request: LoginRequest, claim: AppServiceClaim): Promise<Session>;
  /** `undefined` where nobody is named. Somebody who cannot be found is nobody's user ID, so that all goes on as usual. */
  findUser(who: WhoLogsIn): Promise<string | undefined>;
  /**
   * Throws `login.forbidden` unless it is the user's password. Gives what adds to a write set that it still is: a commit fails on
   * the guard `password.changed` otherwise.
   */
  checkPassword(userId: string, password: string): Promise<(set: WriteSet) => void>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  readonly sessions: Sessions;
  readonly hasher: PasswordHasher;
  readonly rateLimiter: RateLimiter;
  readonly appServiceAccounts: AppServiceAccounts;
  readonly now: () => number;
};

export function createLogin(dependencies: Dependencies): Login {
  const { db, serverName, sessions, hasher, rateLimiter, appServiceAccounts, now } = dependencies;

  async function findUser({ identifier, user, medium, address }: WhoLogsIn): Promise<string | undefined> {
    if (identifier === undefined) {
      if (user !== undefined) return userIdOf(user, serverName);
      return medium === undefined || address === undefined ? undefined : findOwner({ medium, address });
    }
    switch (identifier.type) {
      case 'm.id.user':
        return identifier.user === undefined ? undefined : userIdOf(identifier.user, serverName);
      case 'm.id.thirdparty':
        if (identifier.medium === undefined || identifier.address === undefined) return undefined;
        return findOwner({ medium: identifier.medium, address: identifier.address });
      case 'm.id.phone':
        return 'somebody with a phone number';
      default:
        throw new MatrixError('login.unknown-identifier');
    }
  }

  async function findOwner(given: Identifier): Promise<string> {
    const { medium, address } = canonical(given);
    return (await findThirdPartyOwner(db, medium, address)) ?? `${medium} ${address}`.slice(0, 300);
  }

  async function checkPassword(userId: string, password: string): Promise<(set: WriteSet) => void> {
    rateLimiter.check('failed-login', userId);
    const account = await findAccount(db, userId);
    const hash = account?.password_hash ?? null;
    const isRight = await hasher.verify(password, hash);
    if (account !== undefined && account.deactivated_at !== null) throw new MatrixError('user.deactivated');
    // Who changes it logs out everybody who is there by then: nobody may come in by it later.
    if (isRight && hash !== null) return (set) => requirePasswordHash(set, userId, hash);
    rateLimiter.take('failed-login', userId);
    throw new MatrixError('login.forbidden');
  }

  async function isDeactivated(userId: string): Promise<boolean> {
    return typeof (await findAccount(db, userId))?.deactivated_at === 'number';
  }

  async function logInByToken(request: LoginRequest): Promise<Session> {
    if (request.token === undefined) throw new MatrixError('request.missing-param', { message: 'Missing: token' });
    const { userId, cameWith, useUp } = await redeemLoginToken({ db, now }, request.token);
    const set = createWriteSet();
    useUp(set);
    const session = await sessions.planLogin(set, userId, request);
    if (cameWith !== undefined) addProviderSession(set, { userId, deviceId: session.device_id }, cameWith);
    await db.commit(set);
    return session;
  }

  return {
    async logIn(request, claim) {
      if (appServiceLoginTypes.includes(request.type)) {
        return appServiceAccounts.logIn(claim, request.identifier, request);
      }
      if (request.type === 'm.login.token') return logInByToken(request);
      if (request.type !== 'm.login.password') throw new MatrixError('login.unknown-type');
      const userId = await findUser(request);
      if (userId === undefined || request.password === undefined) {
        throw new MatrixError('request.missing-param', {
          message: `Missing: ${userId === undefined ? 'identifier' : 'password'}`,
        });
      }
      const requirePassword = await checkPassword(userId, request.password);
      const set = createWriteSet();
      requirePassword(set);
      const session = await sessions.planLogin(set, userId, request);
      try {
        await db.commit(set);
      } catch (error) {
        if (!isGuardFailure(error, 'password.changed')) throw error;
        throw new MatrixError((await isDeactivated(userId)) ? 'user.deactivated' : 'login.forbidden');
      }
      return session;
    },
    findUser,
    checkPassword,
  };
}
