import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type UiaSessionRow = {
  /** What the session may be used for, by whom, and a digest of what exactly they asked for. */
  readonly operation: string;
  /** A JSON array of stages. */
  readonly completed: string;
  readonly registration_token: string | null;
  /** The validation that stage `m.login.email.identity` was passed with. */
  readonly email_session: string | null;
  /** What was asked for when the session was opened, as JSON, where a client may go on without saying it again. */
  readonly request: string | null;
  readonly expires_at: number;
};

const selectSession = sql<UiaSessionRow, [sessionId: string]>(
  'uia-sessions.get',
  `select operation, completed, registration_token, email_session, request, expires_at
   from uia_sessions where session_id = $1`,
);

export function findUiaSession(reader: Reader, sessionId: string): Promise<UiaSessionRow | undefined> {
  return reader.get(selectSession, [sessionId]);
}

const insertSession = sql<
  void,
  [
    sessionId: string,
    operation: string,
    completed: string,
    registrationToken: string | null,
    emailSession: string | null,
    request: string | null,
    expiresAt: number,
  ]
>(
  'uia-sessions.insert',
  `insert into uia_sessions (session_id, operation, completed, registration_token, email_session, request, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7)`,
);

export function addUiaSession(set: WriteSet, sessionId: string, session: UiaSessionRow): void {
  const { operation, completed, registration_token: token, email_session: email, request } = session;
  set.add(insertSession, [sessionId, operation, completed, token, email, request, session.expires_at]);
}

const updateSession = sql<
  void,
  [
    sessionId: string,
    completed: string,
    registrationToken: string | null,
    emailSession: string | null,
    completedBefore: string,
  ]
>(
  'uia-sessions.update',
  `update uia_sessions set completed = $2, registration_token = $3, email_session = $4
   where session_id = $1 and completed = $5`,
);

/** Fails on the guard `uia.session-changed` if another request was faster. */
export function updateUiaSession(
  set: WriteSet,
  sessionId: string,
  session: Pick<UiaSessionRow, 'completed' | 'registration_token' | 'email_session'>,
  completedBefore: string,
): void {
  set.guard('uia.session-changed', 1, updateSession, [
    sessionId,
    session.completed,
    session.registration_token,
    session.email_session,
    completedBefore,
  ]);
}

const deleteSession = sql<void, [sessionId: string]>(
  'uia-sessions.delete',
  'delete from uia_sessions where session_id = $1',
);

/** Fails on the guard `uia.session-changed` if the session has been used. */
export function useUiaSession(set: WriteSet, sessionId: string): void {
  set.guard('uia.session-changed', 1, deleteSession, [sessionId]);
}
