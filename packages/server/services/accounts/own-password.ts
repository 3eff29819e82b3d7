import { MatrixError } from '../../errors/matrix-error.ts';
import type { Login, WhoLogsIn } from './login.ts';
import type { Sender } from './sender.ts';
import type { Asked, AuthData, Authorization, Challenge, StageOutcome, Uia } from './uia.ts';

export interface OwnPassword {
  /**
   * Has a person prove with their password that they want `operation`. Throws `uia.required` until they have. Nothing is
   * asked of an application service: its users have no passwords. `asked` is what exactly they have to want, all the way.
   */
  require(person: Person, operation: string, auth: AuthData | undefined, asked?: Asked): Promise<Authorization>;
  /** What is asked of the person whose operation it is, by the name that sessions have for it. */
  findChallenge(operation: string): Challenge | undefined;
}

export type Person = Pick<Sender, 'userId' | 'appService'>;

type Dependencies = { readonly uia: Uia; readonly login: Login };

export function createOwnPassword({ uia, login }: Dependencies): OwnPassword {
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

  function challengeOf(userId: string, operation: string): Challenge {
    return {
      operation: `${operation} of ${userId}`,
      flows: [['m.login.password']],
      checks: { 'm.login.password': (given) => check(userId, given) },
    };
  }

  return {
    findChallenge(name) {
      const [, operation, userId] = /^(.*) of (@.*)$/s.exec(name) ?? [];
      return operation === undefined || userId === undefined ? undefined : challengeOf(userId, operation);
    },
    async require({ userId, appService }, operation, auth, asked) {
      if (appService !== undefined) return nothingAsked;
      return uia.authorize(challengeOf(userId, operation), auth, asked);
    },
  };
}

const nothingAsked: Authorization = { registrationToken: undefined, emailSession: undefined, useUp: () => undefined };

const wrong: StageOutcome = { kind: 'failed', reason: 'login.forbidden' };

/** Whom a client says the password is of; clients in use leave it out, or name them in the old way. */
function claimedUser({ identifier, user }: AuthData): WhoLogsIn | undefined {
  if (typeof identifier === 'object' && identifier !== null) {
    const { type, ...fields } = identifier as Record<string, unknown>;
    const texts = Object.entries(fields).filter((field): field is [string, string] => typeof field[1] === 'string');
    return { identifier: { type: typeof type === 'string' ? type : '', ...Object.fromEntries(texts) } };
  }
  return typeof user === 'string' ? { user } : undefined;
}
