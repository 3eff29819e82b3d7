import { createHmac } from 'node:crypto';
import type { JsonObject } from '@portico/protocol';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  addUiaSession,
  findUiaSession,
  updateUiaSession,
  useUiaSession,
  type UiaSessionRow,
} from '@portico/storage/stores/accounts/accounts-uia.ts';
import { errorTable, type ErrorReason } from '../../errors/table.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

export type Stage =
  | 'm.login.dummy'
  | 'm.login.registration_token'
  | 'm.login.password'
  | 'm.login.email.identity'
  | 'm.login.sso'
  /** On a page of the server, for an app that is logged in with OAuth 2.0. */
  | 'm.oauth';

/** The `auth` object of a request, as it came. */
export type AuthData = { readonly type?: string; readonly session?: string | null; readonly [field: string]: unknown };

export type StageOutcome =
  | { readonly kind: 'passed'; readonly registrationToken?: string; readonly emailSession?: string }
  | { readonly kind: 'failed'; readonly reason: ErrorReason };

/** Judges what a client submits for a stage. */
export type StageCheck = (auth: AuthData) => StageOutcome | Promise<StageOutcome>;

export type Challenge = {
  /** What is asked for, by whom and about what: a session is good for nothing else. */
  readonly operation: string;
  readonly flows: readonly (readonly Stage[])[];
  readonly checks: Partial<Readonly<Record<Stage, StageCheck>>>;
  /** What a client is told instead of the flows: some stages are nothing that it could do itself. */
  readonly shown?: (session: string) => {
    readonly flows: readonly (readonly string[])[];
    readonly params: JsonObject;
  };
};

/** What a new session is to remember of the request that opened it. */
export type Remember = () => Promise<string>;

export type Authorization = {
  readonly registrationToken: string | undefined;
  /** Which validation of an email address a stage was passed with. */
  readonly emailSession: string | undefined;
  /** Adds to the operation's write set what makes the session unusable for another one. */
  useUp(set: WriteSet): void;
};

/** What a request asks for besides `auth`, part by part. */
export type Asked = readonly (string | boolean)[];

export interface Uia {
  /**
   * Throws `uia.required` until the client has completed a flow. A client goes on "by resubmitting the same request with the
   * addition of an `auth` key": where `asked` is given, a session that was opened for one thing is no good for another one.
   */
  authorize(
    challenge: Challenge,
    auth: AuthData | undefined,
    asked?: Asked,
    remember?: Remember,
  ): Promise<Authorization>;
  /** What a session remembers of the request that opened it. */
  recall(challenge: Challenge, sessionId: string): Promise<string | undefined>;
  /** What a session is asked for, if there is such a session. */
  operationOf(sessionId: string): Promise<string | undefined>;
  /** Passes a stage of a session on somebody else's page; the client goes on with the session alone. */
  pass(challenge: Challenge, sessionId: string, auth: AuthData): Promise<StageOutcome>;
  /** Takes a stage of a session for passed: whoever calls this has seen that it is. `also` is committed with it. */
  complete(challenge: Challenge, sessionId: string, stage: Stage, also: (set: WriteSet) => void): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Known to this server alone, and the same for all its processes. */
  readonly secret: Uint8Array;
};

const lifetime = 15 * 60 * 1000;

type FailureEntry = { readonly errcode: string; readonly message: string };

type Progress = {
  readonly completed: readonly Stage[];
  readonly registrationToken: string | null;
  readonly emailSession: string | null;
};

/**
 * {@link https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api}
 *
 * Sessions are rows, so that any process can go on with them; they hold which stages were passed and nothing that a
 * client sent, but what they are told to remember. Of what is asked for they hold a keyed digest, which tells nobody a
 * password that is in it.
 */
export function createUia({ db, now, randomBytes, secret }: Dependencies): Uia {
  async function findSession(sessionId: string, isMeant: (operation: string) => boolean): Promise<UiaSessionRow> {
    const row = await findUiaSession(db, sessionId);
    if (row === undefined || row.expires_at <= now()) throw new MatrixError('uia.unknown-session');
    if (!isMeant(row.operation)) throw new MatrixError('uia.other-request');
    return row;
  }

  function nameOf(operation: string, asked: Asked | undefined): string {
    if (asked === undefined) return operation;
    return `${operation}${separator}${createHmac('sha256', secret).update(JSON.stringify(asked)).digest('base64url')}`;
  }

  async function startSession(operation: string, progress: Progress, request: string | undefined): Promise<string> {
    const sessionId = Buffer.from(randomBytes(18)).toString('base64url');
    const set = createWriteSet();
    const session = { operation, ...toColumns(progress), request: request ?? null, expires_at: now() + lifetime };
    addUiaSession(set, sessionId, session);
    await db.commit(set);
    return sessionId;
  }

  async function saveProgress(
    sessionId: string,
    progress: Progress,
    row: UiaSessionRow,
    also?: (set: WriteSet) => void,
  ): Promise<void> {
    const set = createWriteSet();
    also?.(set);
    updateUiaSession(set, sessionId, toColumns(progress), row.completed);
    await db.commit(set);
  }

  return {
    async operationOf(sessionId) {
      const row = await findUiaSession(db, sessionId);
      return row === undefined || row.expires_at <= now() ? undefined : withoutAsked(row.operation);
    },
    async pass({ operation, checks }, sessionId, auth) {
      const row = await findSession(sessionId, (stored) => withoutAsked(stored) === operation);
      const before = progressOf(row);
      const outcome = await judge(checks, before, auth);
      if (outcome === undefined) return { kind: 'passed' };
      if (outcome.kind === 'passed') {
        await saveProgress(sessionId, advance(before, auth.type as Stage, outcome), row);
      }
      return outcome;
    },
    async complete({ operation }, sessionId, stage, also) {
      const row = await findSession(sessionId, (stored) => withoutAsked(stored) === operation);
      const before = progressOf(row);
      const after = before.completed.includes(stage) ? before : advance(before, stage, { kind: 'passed' });
      await saveProgress(sessionId, after, row, also);
    },
    async recall({ operation }, sessionId) {
      return (await findSession(sessionId, (stored) => withoutAsked(stored) === operation)).request ?? undefined;
    },
    async authorize({ operation, flows, checks, shown }, auth, asked, remember) {
      const sessionId = auth?.session ?? undefined;
      const name = nameOf(operation, asked);
      const row = sessionId === undefined ? undefined : await findSession(sessionId, (stored) => stored === name);
      const before = progressOf(row);
      const outcome = await judge(checks, before, auth);
      const after = outcome?.kind === 'passed' ? advance(before, auth?.type as Stage, outcome) : before;

      if (flows.some((flow) => flow.every((stage) => after.completed.includes(stage)))) {
        return {
          registrationToken: after.registrationToken ?? undefined,
          emailSession: after.emailSession ?? undefined,
          // A flow of one stage may be completed by the first request: then there is no session to use up.
          useUp: (set) => (sessionId === undefined ? undefined : useUiaSession(set, sessionId)),
        };
      }
      if (sessionId !== undefined && row !== undefined && after !== before) await saveProgress(sessionId, after, row);
      const current = sessionId ?? (await startSession(name, after, await remember?.()));
      throw challengeError(shown?.(current) ?? { flows, params: {} }, after, current, outcome);
    },
  };
}

/** Between an operation and the digest of what is asked for: a character that neither has. */
const separator = '\n';

function withoutAsked(name: string): string {
  return name.split(separator, 1)[0] ?? name;
}

function progressOf(row: UiaSessionRow | undefined): Progress {
  if (row === undefined) return { completed: [], registrationToken: null, emailSession: null };
  return {
    completed: JSON.parse(row.completed) as Stage[],
    registrationToken: row.registration_token,
    emailSession: row.email_session,
  };
}

type ProgressColumns = Pick<UiaSessionRow, 'completed' | 'registration_token' | 'email_session'>;

function toColumns({ completed, registrationToken, emailSession }: Progress): ProgressColumns {
  return {
    completed: JSON.stringify(completed),
    registration_token: registrationToken,
    email_session: emailSession,
  };
}

async function judge(
  checks: Challenge['checks'],
  { completed }: Progress,
  auth: AuthData | undefined,
): Promise<StageOutcome | undefined> {
  // Without a type a client asks how far it has come.
  if (auth?.type === undefined || completed.some((stage) => stage === auth.type)) return undefined;
  const check = Object.hasOwn(checks, auth.type) ? checks[auth.type as Stage] : undefined;
  return check === undefined ? { kind: 'failed', reason: 'uia.unknown-stage' } : check(auth);
}

function advance(before: Progress, stage: Stage, outcome: StageOutcome & { kind: 'passed' }): Progress {
  return {
    completed: [...before.completed, stage],
    registrationToken: outcome.registrationToken ?? before.registrationToken,
    emailSession: outcome.emailSession ?? before.emailSession,
  };
}

function challengeError(
  { flows, params }: ReturnType<NonNullable<Challenge['shown']>>,
  { completed }: Progress,
  session: string,
  outcome: StageOutcome | undefined,
): MatrixError {
  const failure = outcome?.kind === 'failed' ? (errorTable[outcome.reason] as FailureEntry) : undefined;
  return new MatrixError('uia.required', {
    fields: {
      ...(failure === undefined ? {} : { errcode: failure.errcode, error: failure.message }),
      ...(completed.length === 0 && failure === undefined ? {} : { completed: [...completed] }),
      flows: flows.map((stages) => ({ stages: [...stages] })),
      params,
      session,
    },
  });
}
