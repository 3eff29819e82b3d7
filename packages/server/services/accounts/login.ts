import { createWriteSet, type Database } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { AppServiceClaim } from '../appservices/claim.ts';
import type { RateLimiter } from '../rate-limit/rate-limiter.ts';
import { type AppServiceAccounts, appServiceLoginTypes } from './app-service-accounts.ts';
import { userIdOf } from './names.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { redeemLoginToken } from './redeem-login-token.ts';
import type { DeviceRequest, Session, Sessions } from './sessions.ts';

export type LoginRequest = DeviceRequest & {
  readonly type: string;
  readonly identifier?: { readonly type: string; readonly user?: string };
  /** Deprecated, and still what some clients send. */
  readonly user?: string;
  readonly password?: string;
  /** For `m.login.token`. */
  readonly token?: string;
};

export interface Login {
  logIn(request: LoginRequest, claim: AppServiceClaim): Promise<Session>;
  /** Throws `login.forbidden` unless it is the user's password. */
  checkPassword(userId: string, password: string): Promise<void>;
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

function findUser({ identifier, user }: LoginRequest): string | undefined {
  if (identifier === undefined) return user;
  if (identifier.type === 'm.id.user') return identifier.user;
  // Whose it would be is not said: the same answer for every address and number.
  throw new MatrixError('login.unknown-identifier');
}

export function createLogin(dependencies: Dependencies): Login {
  const { db, serverName, sessions, hasher, rateLimiter, appServiceAccounts, now } = dependencies;

  async function checkPassword(userId: string, password: string): Promise<void> {
    rateLimiter.check('failed-login', userId);
    const account = await findAccount(db, userId);
    const isRight = await hasher.verify(password, account?.password_hash ?? null);
    if (account !== undefined && account.deactivated_at !== null) throw new MatrixError('user.deactivated');
    if (isRight) return;
    rateLimiter.take('failed-login', userId);
    throw new MatrixError('login.forbidden');
  }

  async function logInByToken(request: LoginRequest): Promise<Session> {
    if (request.token === undefined) throw new MatrixError('request.missing-param', { message: 'Missing: token' });
    const { userId, useUp } = await redeemLoginToken({ db, now }, request.token);
    const set = createWriteSet();
    useUp(set);
    const session = sessions.plan(set, userId, request);
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
      const user = findUser(request);
      if (user === undefined || request.password === undefined) {
        throw new MatrixError('request.missing-param', {
          message: `Missing: ${user === undefined ? 'identifier' : 'password'}`,
        });
      }
      const userId = userIdOf(user, serverName);
      await checkPassword(userId, request.password);
      const set = createWriteSet();
      const session = sessions.plan(set, userId, request);
      await db.commit(set);
      return session;
    },
    checkPassword,
  };
}
