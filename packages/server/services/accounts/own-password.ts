import type { Reader, WriteSet } from '@portico/storage';
import { requirePasswordHash } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { AppDevices } from './app-devices.ts';
import type { LoginWays } from './login-ways.ts';
import type { Login, WhoLogsIn } from './login.ts';
import type { Sender } from './sender.ts';
import type { Asked, AuthData, Authorization, Challenge, StageOutcome, Uia } from './uia.ts';

export interface OwnPassword {
  /**
   * Has a person prove that they want `operation`, with their password or by way of the service that they log in by. Throws
   * `uia.required` until they have. Nothing is asked of an application service: its users have no passwords. `asked` is what
   * exactly they have to want, all the way. An app that is logged in with OAuth 2.0 is refused (`oauth.not-by-app`), unless `byApp`
   * says that people may confirm what it wants on a page.
   *
   * It is good for as long as the password stays: a session of before it was changed allows nothing any more, and what is committed
   * with `useUp` fails on the guard `password.changed`.
   */
  require(
    person: Person,
    operation: string,
    auth: AuthData | undefined,
    asked?: Asked,
    options?: { readonly byApp: boolean },
  ): Promise<OwnAuthorization>;
  /** What is asked of the person whose operation it is, by the name that sessions have for it. */
  findChallenge(operation: string): Promise<OwnChallenge | undefined>;
}

export type OwnAuthorization = Authorization & {
  /** Adds to the write set of a part of the operation that comes before the rest of it what has to hold still. */
  holds(set: WriteSet): void;
};

/** What is asked of somebody, who they are, and what they want. */
export type OwnChallenge = Challenge & { readonly userId: string; readonly wanted: string };

export type Person = Pick<Sender, 'userId' | 'deviceId' | 'appService'>;

type Dependencies = {
  readonly db: Reader;
  readonly uia: Uia;
  readonly login: Login;
  readonly loginWays: LoginWays;
  readonly appDevices: AppDevices;
};

export function createOwnPassword({ db, uia, login, loginWays, appDevices }: Dependencies): OwnPassword {
  async function check(userId: string, auth: AuthData): Promise<StageOutcome> {
    const claimed = claimedUser(auth);
    if (claimed !== undefined && (await login.findUser(claimed)) !== userId) {
      throw new MatrixError('forbidden', { message: 'Only the person whom this is about can allow it.' });
    }
    if (typeof auth['password'] !== 'string') {
      throw new MatrixError('request.missing-param', { message: 'Missing: auth.password' });
    }
    try {
      await login.checkPassword(userId, auth['password']);
      return { kind: 'passed' };
    } catch (error) {
      if (error instanceof MatrixError && error.reason === 'login.forbidden') return wrong;
      throw error;
    }
  }

  async function challengeOf(userId: string, wanted: string): Promise<OwnChallenge> {
    const { hasPassword, providers } = await loginWays.of(userId);
    const offersProviders = providers.length > 0;
    return {
      userId,
      wanted,
      operation: `${wanted} of ${userId}`,
      flows: [
        ...(hasPassword || !offersProviders ? [['m.login.password'] as const] : []),
        ...(offersProviders ? [['m.login.sso'] as const] : []),
      ],
      checks: {
        ...((hasPassword || !offersProviders) && { 'm.login.password': (given: AuthData) => check(userId, given) }),
        // It is passed on a page alone, by who comes back from there.
        ...(offersProviders && { 'm.login.sso': () => notConfirmed }),
      },
    };
  }

  /**
   * What an app wants that is not to know the password: it is told of a page alone, and whoever confirms it there shows who they are.
   *
   * {@link https://spec.matrix.org/v1.19/client-server-api/#oauth-authentication}
   */
  async function appChallengeOf(userId: string, wanted: string): Promise<OwnChallenge> {
    const { checks, ...challenge } = await challengeOf(userId, wanted);
    const bySso = checks['m.login.sso'];
    return {
      ...challenge,
      operation: `${byAnApp}${challenge.operation}`,
      flows: [['m.oauth'], ...(bySso === undefined ? [] : [['m.login.sso'] as const])],
      checks: {
        'm.oauth': (given) => (given['password'] === undefined ? notConfirmedOnPage : check(userId, given)),
        ...(bySso !== undefined && { 'm.login.sso': bySso }),
      },
      // "servers SHOULD offer two flows", with the name that the proposal had.
      shown: (session) => ({
        flows: [['m.oauth'], ['org.matrix.cross_signing_reset']],
        params: {
          'm.oauth': { url: appDevices.confirmationUrl(session) },
          'org.matrix.cross_signing_reset': { url: appDevices.confirmationUrl(session) },
        },
      }),
    };
  }

  return {
    async findChallenge(name) {
      const [, app, wanted, userId] = /^(app: )?(.*) of (@.*)$/s.exec(name) ?? [];
      if (wanted === undefined || userId === undefined) return undefined;
      return app === undefined ? challengeOf(userId, wanted) : appChallengeOf(userId, wanted);
    },
    async require(person, operation, auth, asked = [], { byApp } = { byApp: false }) {
      const { userId, appService } = person;
      if (appService !== undefined) return nothingAsked;
      const isApp = await appDevices.has(person);
      if (isApp && !byApp) throw new MatrixError('oauth.not-by-app');
      const hash = (await findAccount(db, userId))?.password_hash ?? null;
      const challenge = await (isApp ? appChallengeOf : challengeOf)(userId, operation);
      const authorization = await uia.authorize(challenge, auth, [...asked, hash ?? '']);
      const holds = (set: WriteSet): void => requirePasswordHash(set, userId, hash);
      return {
        ...authorization,
        holds,
        useUp(set) {
          authorization.useUp(set);
          holds(set);
        },
      };
    },
  };
}

const nothingAsked: OwnAuthorization = {
  registrationToken: undefined,
  emailSession: undefined,
  useUp: () => undefined,
  holds: () => undefined,
};

const wrong: StageOutcome = { kind: 'failed', reason: 'login.forbidden' };
const byAnApp = 'app: ';
const notConfirmedOnPage: StageOutcome = { kind: 'failed', reason: 'oauth.not-confirmed' };
const notConfirmed: StageOutcome = { kind: 'failed', reason: 'sso.not-confirmed' };

/** Whom a client says the password is of; clients in use leave it out, or name them in the old way. */
function claimedUser({ identifier, user }: AuthData): WhoLogsIn | undefined {
  if (typeof identifier === 'object' && identifier !== null) {
    const { type, ...fields } = identifier as Record<string, unknown>;
    const texts = Object.entries(fields).filter((field): field is [string, string] => typeof field[1] === 'string');
    return { identifier: { type: typeof type === 'string' ? type : '', ...Object.fromEntries(texts) } };
  }
  return typeof user === 'string' ? { user } : undefined;
}
