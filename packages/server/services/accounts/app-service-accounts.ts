import { isUserId } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { AppService } from '../appservices/app-service.ts';
import type { AppServices } from '../appservices/app-services.ts';
import type { AppServiceClaim } from '../appservices/claim.ts';
import { openAccount } from './open-account.ts';
import type { DeviceRequest, Session, Sessions } from './sessions.ts';

export const appServiceLogin = 'm.login.application_service';
export const appServiceLoginTypes: readonly string[] = [
  appServiceLogin,
  'uk.half-shot.msc2778.login.application_service',
];

export type AppServiceRegistration = DeviceRequest & { readonly username?: string; readonly inhibit_login?: boolean };

/** Users of application services: they have no passwords, and nobody is asked whether they may be made. */
export interface AppServiceAccounts {
  /** Makes a user of an application service, and logs it in unless asked not to. */
  register(claim: AppServiceClaim, request: AppServiceRegistration): Promise<{ userId: string } & Partial<Session>>;
  logIn(
    claim: AppServiceClaim,
    identifier: { readonly type: string; readonly user?: string } | undefined,
    device: DeviceRequest,
  ): Promise<Session>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  readonly appServices: AppServices;
  readonly sessions: Sessions;
  readonly now: () => number;
};

export function createAppServiceAccounts(dependencies: Dependencies): AppServiceAccounts {
  const { db, serverName, appServices, sessions, now } = dependencies;

  /** As it is written: services in use have users in capitals. */
  function userIdOf(user: string): string {
    return user.startsWith('@') ? user : `@${user}:${serverName}`;
  }

  function findService(claim: AppServiceClaim): AppService | undefined {
    return claim.kind === 'app-service' ? appServices.find(claim.id) : undefined;
  }

  return {
    async register(claim, { username, inhibit_login: inhibitLogin, ...device }) {
      /*
       * > If `/register` […] is called with the `m.login.application_service` login type, but without a valid `as_token`, the
       * > endpoints will return an error with the `M_MISSING_TOKEN` or `M_UNKNOWN_TOKEN` error code
       *
       * {@link https://spec.matrix.org/v1.19/application-service-api/#server-admin-style-permissions}
       */
      if (claim.kind === 'no-token') throw new MatrixError('token.missing');
      const service = findService(claim);
      if (service === undefined) throw new MatrixError('token.unknown', { fields: { soft_logout: false } });
      if (username === undefined) throw new MatrixError('request.missing-param', { message: 'Missing: username' });
      const userId = `@${username}:${serverName}`;
      if (username === '' || !isUserId(userId)) throw new MatrixError('user.invalid-name');
      appServices.checkNewUser(userId, service.id);
      const set = createWriteSet();
      openAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: now() });
      const session = inhibitLogin === true ? {} : sessions.plan(set, userId, device);
      await db.commit(set);
      return { userId, ...session };
    },

    /** {@link https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/2778-appservice-login.md} */
    async logIn(claim, identifier, device) {
      const service = findService(claim);
      if (service === undefined) throw new MatrixError('app-service.required');
      if (identifier !== undefined && identifier.type !== 'm.id.user')
        throw new MatrixError('login.unknown-identifier');
      if (identifier?.user === undefined) {
        throw new MatrixError('request.missing-param', { message: 'Missing: identifier.user' });
      }
      const userId = userIdOf(identifier.user);
      if (!service.matchesUser(userId)) throw new MatrixError('app-service.login-exclusive');
      const account = await findAccount(db, userId);
      if (account === undefined) {
        throw new MatrixError('forbidden', { message: 'Application service has not registered this user.' });
      }
      const set = createWriteSet();
      const session = await sessions.planLogin(set, userId, device);
      await db.commit(set);
      return session;
    },
  };
}
