import type { ServerName } from '@portico/protocol/ids/server-name.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { useRegistrationToken } from '@portico/storage/stores/accounts/accounts-registration.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { AppServices } from '../appservices/app-services.ts';
import type { AppServiceClaim } from '../appservices/claim.ts';
import { cutDisplayName } from '../profile/profile-value.ts';
import { emailStage } from '../third-party-ids/email-stage.ts';
import { addProvedEmail } from '../third-party-ids/third-party-ids.ts';
import type { EmailValidations } from '../third-party-ids/validations.ts';
import { type AppServiceAccounts, appServiceLogin } from './app-service-accounts.ts';
import { newUserId, randomName } from './names.ts';
import { openAccount } from './open-account.ts';
import type { PasswordHasher } from './password-hasher.ts';
import type { RegistrationTokens } from './registration-tokens.ts';
import { recallRequest, rememberRequest } from './remembered-request.ts';
import type { DeviceRequest, Session, Sessions } from './sessions.ts';
import type { AuthData, Challenge, Stage, Uia } from './uia.ts';

export type RegistrationMode = 'closed' | 'token' | 'open';

export type RegisterRequest = DeviceRequest & {
  /** `m.login.application_service` of those who need no authentication besides their token. */
  readonly type?: string;
  readonly auth?: AuthData;
  readonly username?: string;
  readonly password?: string;
  readonly inhibit_login?: boolean;
};

export type Registered = { readonly user_id: string; readonly home_server: string } & Partial<Session>;

export type NewUser = {
  readonly name: string;
  /** Nobody logs in with one where there is none. */
  readonly password: string | undefined;
  readonly isAdmin: boolean;
  readonly userType?: string | undefined;
  readonly displayName?: string | undefined;
};

export interface Registration {
  /** What is asked of those who register. */
  readonly challenge: Challenge;
  register(request: RegisterRequest, claim: AppServiceClaim): Promise<Registered>;
  /** Throws `registration.disabled` where nobody can register. */
  refuseIfClosed(): void;
  /** Throws what is wrong with a name for a new account, and `registration.disabled` where nobody can register. */
  checkAvailable(name: string): Promise<void>;
  /** Throws what is wrong with a name for an account that is made without asking anybody. */
  checkFree(name: string): Promise<void>;
  /** Makes an account without asking anybody, together with whatever `also` adds to its write set. */
  create(user: NewUser, also?: (set: WriteSet, userId: string) => void): Promise<string>;
}

type Dependencies = {
  readonly db: Database;
  readonly mode: RegistrationMode;
  readonly serverName: ServerName;
  /** Whether everybody must have an email address. */
  readonly requiresEmail: boolean;
  readonly validations: EmailValidations;
  readonly uia: Uia;
  readonly sessions: Sessions;
  readonly tokens: RegistrationTokens;
  readonly hasher: PasswordHasher;
  readonly appServices: AppServices;
  readonly appServiceAccounts: AppServiceAccounts;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

export function createRegistration(dependencies: Dependencies): Registration {
  const { db, mode, serverName, validations, uia, sessions, tokens, hasher, now, randomBytes } = dependencies;
  const main = mode === 'token' ? 'm.login.registration_token' : 'm.login.dummy';

  const challenge: Challenge = {
    operation: 'register',
    flows: flowsOf(main, validations.isAvailable, dependencies.requiresEmail),
    checks: {
      [main]: mode === 'token' ? tokens.check : passes,
      ...(validations.isAvailable && { [emailStageName]: emailStage(validations, 'register') }),
    },
  };

  async function availableUserId(name: string): Promise<string> {
    const userId = newUserId(name, serverName);
    dependencies.appServices.checkNewUser(userId, undefined);
    if ((await findAccount(db, userId)) !== undefined) throw new MatrixError('user.taken');
    return userId;
  }

  function refuseIfClosed(): void {
    if (mode === 'closed') throw new MatrixError('registration.disabled');
  }

  return {
    challenge,
    refuseIfClosed,
    async register(given, claim) {
      if (given.type === appServiceLogin) {
        const { userId: made, ...session } = await dependencies.appServiceAccounts.register(claim, given);
        return { user_id: made, home_server: serverName, ...session };
      }
      refuseIfClosed();
      const { auth, password } = given;
      const sessionId = auth?.session ?? undefined;
      const opened = sessionId === undefined ? undefined : await uia.recall(challenge, sessionId);
      const { passwordHash: rememberedHash, ...remembered } = recallRequest(opened);
      const request: RegisterRequest = { ...remembered, ...given };
      // > Homeservers MUST perform the relevant checks and return these codes before performing User-Interactive
      // > Authentication
      const userId = await availableUserId(request.username ?? randomName(randomBytes));
      if (password !== undefined) hasher.check(password);
      const authorization = await uia.authorize(challenge, auth, undefined, async () =>
        rememberRequest({ ...request, ...(password !== undefined && { passwordHash: await hasher.hash(password) }) }),
      );
      if (password === undefined && rememberedHash === undefined) {
        throw new MatrixError('request.missing-param', { message: 'Missing: password' });
      }
      const { emailSession } = authorization;
      const email = emailSession === undefined ? undefined : await validations.findById('register', emailSession);
      if (emailSession !== undefined && email === undefined) throw new MatrixError('third-party.not-validated');
      const passwordHash = password === undefined ? rememberedHash : await hasher.hash(password);

      const set = createWriteSet();
      authorization.useUp(set);
      if (authorization.registrationToken !== undefined) {
        useRegistrationToken(set, authorization.registrationToken, now());
      }
      openAccount(set, { userId, passwordHash, isAdmin: false, userType: undefined, createdAt: now() });
      if (email !== undefined) {
        validations.useUp(set, email);
        addProvedEmail(set, userId, email, now());
      }
      const session = request.inhibit_login === true ? {} : sessions.plan(set, userId, request);
      await db.commit(set);
      return { user_id: userId, home_server: serverName, ...session };
    },

    async checkAvailable(name) {
      refuseIfClosed();
      await availableUserId(name);
    },

    async checkFree(name) {
      await availableUserId(name);
    },

    async create({ name, password, isAdmin, userType, displayName }, also) {
      const userId = await availableUserId(name);
      const passwordHash = password === undefined ? undefined : await hasher.hash(password);
      const set = createWriteSet();
      openAccount(set, {
        userId,
        passwordHash,
        isAdmin,
        userType,
        createdAt: now(),
        displayName: cutDisplayName(displayName),
      });
      also?.(set, userId);
      await db.commit(set);
      return userId;
    },
  };
}

const emailStageName = 'm.login.email.identity';

/** Where an email address is offered beside something else it comes first, for the other stage alone completes a flow. */
function flowsOf(main: Stage, offersEmail: boolean, requiresEmail: boolean): readonly (readonly Stage[])[] {
  const withEmail: readonly Stage[] = main === 'm.login.dummy' ? [emailStageName] : [emailStageName, main];
  if (requiresEmail) return [withEmail];
  return offersEmail ? [[main], withEmail] : [[main]];
}

function passes(): { kind: 'passed' } {
  return { kind: 'passed' };
}
