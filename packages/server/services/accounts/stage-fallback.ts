import { MatrixError } from '../../errors/matrix-error.ts';
import { errorTable } from '../../errors/table.ts';
import type { Purpose } from '../third-party-ids/emails.ts';
import type { Credentials, EmailValidations } from '../third-party-ids/validations.ts';
import type { LoginProvider, LoginWays } from './login-ways.ts';
import type { OwnChallenge, OwnPassword } from './own-password.ts';
import type { PasswordReset } from './password-reset.ts';
import type { Registration } from './registration.ts';
import type { Challenge, Stage, Uia } from './uia.ts';

/** What is passed by filling something in. */
export type FilledStage = Exclude<Stage, 'm.login.sso' | 'm.oauth'>;

/** How far somebody is with a stage on a page of the server. */
export type StageStep =
  | { readonly kind: 'over' }
  | { readonly kind: 'done' }
  | { readonly kind: 'ask'; readonly stage: FilledStage; readonly problem?: string }
  /** What an app wants is confirmed, by who shows who they are in one of their ways. */
  | {
      readonly kind: 'confirm';
      readonly wanted: string;
      readonly hasPassword: boolean;
      readonly providers: readonly LoginProvider[];
      readonly problem?: string;
    }
  /** They show who they are by way of one of these services. */
  | { readonly kind: 'log-in-there'; readonly wanted: string; readonly providers: readonly LoginProvider[] }
  /** An email was sent; its link has to be followed. */
  | { readonly kind: 'follow-link'; readonly credentials: Credentials; readonly problem?: string };

/** What was filled in. */
export type StageFields = Readonly<
  Record<'password' | 'token' | 'email' | 'sid' | 'client_secret', string | undefined>
>;

/**
 * Stages for those whose client does not know them.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#fallback}
 */
export interface StageFallback {
  open(sessionId: string, stage: string): Promise<StageStep>;
  submit(sessionId: string, stage: string, fields: StageFields): Promise<StageStep>;
}

type Dependencies = {
  readonly uia: Uia;
  readonly registration: Registration;
  readonly passwordReset: PasswordReset;
  readonly ownPassword: OwnPassword;
  readonly loginWays: LoginWays;
  readonly validations: EmailValidations;
  readonly randomBytes: (count: number) => Uint8Array;
};

const over: StageStep = { kind: 'over' };

export function createStageFallback(dependencies: Dependencies): StageFallback {
  const { uia, registration, passwordReset, ownPassword, loginWays, validations, randomBytes } = dependencies;

  type Found = { readonly challenge: Challenge | OwnChallenge; readonly stage: Stage };
  type Filled = Found & { readonly stage: FilledStage };
  type Confirmed = Found & { readonly stage: 'm.oauth' };

  async function find(sessionId: string, stage: string): Promise<Found | undefined> {
    const operation = await uia.operationOf(sessionId);
    if (operation === undefined) return undefined;
    const challenge =
      [registration.challenge, passwordReset.challenge].find((each) => each.operation === operation) ??
      (await ownPassword.findChallenge(operation));
    return challenge !== undefined && Object.hasOwn(challenge.checks, stage)
      ? { challenge, stage: stage as Stage }
      : undefined;
  }

  async function ask({ challenge, stage }: Found): Promise<StageStep> {
    if (stage !== 'm.login.sso' && stage !== 'm.oauth') return { kind: 'ask', stage };
    if (!('wanted' in challenge)) return over;
    const { wanted } = challenge;
    const { hasPassword, providers } = await loginWays.of(challenge.userId);
    if (stage === 'm.login.sso') return { kind: 'log-in-there', wanted, providers };
    return { kind: 'confirm', wanted, providers, hasPassword: hasPassword || providers.length === 0 };
  }

  const isFilled = (found: Found): found is Filled => found.stage !== 'm.login.sso' && found.stage !== 'm.oauth';
  const isConfirmed = (found: Found): found is Confirmed => found.stage === 'm.oauth';

  async function confirm(sessionId: string, found: Confirmed, password = ''): Promise<StageStep> {
    const outcome = await uia.pass(found.challenge, sessionId, { type: found.stage, password });
    if (outcome.kind === 'passed') return { kind: 'done' };
    return withProblem(await ask(found), errorTable[outcome.reason].message);
  }

  async function requestEmail({ challenge }: Filled, email: string): Promise<StageStep> {
    const purpose: Purpose = challenge === passwordReset.challenge ? 'reset' : 'register';
    const secret = Buffer.from(randomBytes(18)).toString('base64url');
    const sid = await validations.request(purpose, { client_secret: secret, email, send_attempt: 1 });
    return { kind: 'follow-link', credentials: { sid, client_secret: secret } };
  }

  async function pass(sessionId: string, { challenge, stage }: Filled, fields: StageFields): Promise<StageStep> {
    const { password, token, sid, client_secret: secret } = fields;
    const credentials = sid === undefined || secret === undefined ? undefined : { sid, client_secret: secret };
    const outcome = await uia.pass(challenge, sessionId, {
      type: stage,
      ...(stage === 'm.login.password' && { password: password ?? '' }),
      ...(stage === 'm.login.registration_token' && { token }),
      ...(stage === 'm.login.email.identity' && { threepid_creds: credentials }),
    });
    if (outcome.kind === 'passed') return { kind: 'done' };
    const problem = errorTable[outcome.reason].message;
    return credentials === undefined ? { kind: 'ask', stage, problem } : { kind: 'follow-link', credentials, problem };
  }

  return {
    async open(sessionId, stage) {
      const found = await find(sessionId, stage);
      return found === undefined ? over : ask(found);
    },
    async submit(sessionId, stage, fields) {
      const found = await find(sessionId, stage);
      if (found === undefined) return over;
      if (!isFilled(found) && !isConfirmed(found)) return ask(found);
      try {
        if (isConfirmed(found)) return await confirm(sessionId, found, fields.password);
        const asksForEmail = found.stage === 'm.login.email.identity' && fields.sid === undefined;
        return asksForEmail ? await requestEmail(found, fields.email ?? '') : await pass(sessionId, found, fields);
      } catch (error) {
        if (!(error instanceof MatrixError)) throw error;
        return withProblem(await ask(found), error.message);
      }
    },
  };
}

function withProblem(step: StageStep, problem: string): StageStep {
  return step.kind === 'ask' || step.kind === 'confirm' ? { ...step, problem } : step;
}
