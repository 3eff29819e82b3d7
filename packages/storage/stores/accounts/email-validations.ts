import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** Somebody proves that an email address is theirs. */
export type ValidationRow = {
  readonly session_id: string;
  /** What for: good for nothing else. */
  readonly purpose: string;
  readonly address: string;
  readonly secret_hash: string;
  /** The last one whose email was sent. */
  readonly send_attempt: number;
  /** Of the newest email. Null where no link leads here. */
  readonly token_hash: string | null;
  readonly next_link: string | null;
  readonly expires_at: number;
  readonly validated_at: number | null;
};

const columns =
  'session_id, purpose, address, secret_hash, send_attempt, token_hash, next_link, expires_at, validated_at';

const selectSession = sql<ValidationRow, [sessionId: string]>(
  'email-validations.get',
  `select ${columns} from email_validations where session_id = $1`,
);

export function findValidation(reader: Reader, sessionId: string): Promise<ValidationRow | undefined> {
  return reader.get(selectSession, [sessionId]);
}

const selectBySecret = sql<ValidationRow, [address: string, purpose: string, secretHash: string]>(
  'email-validations.by-secret',
  `select ${columns} from email_validations where address = $1 and purpose = $2 and secret_hash = $3`,
);

export function findValidationBySecret(
  reader: Reader,
  key: Pick<ValidationRow, 'address' | 'purpose' | 'secret_hash'>,
): Promise<ValidationRow | undefined> {
  return reader.get(selectBySecret, [key.address, key.purpose, key.secret_hash]);
}

const deleteExpired = sql<void, [now: number]>(
  'email-validations.delete-expired',
  'delete from email_validations where expires_at <= $1',
);
const insertSession = sql<
  void,
  [
    sessionId: string,
    purpose: string,
    address: string,
    secretHash: string,
    sendAttempt: number,
    tokenHash: string | null,
    nextLink: string | null,
    expiresAt: number,
  ]
>(
  'email-validations.insert',
  `insert into email_validations
     (session_id, purpose, address, secret_hash, send_attempt, token_hash, next_link, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
);

/** Also clears away what has expired. Fails on the guard `validation.changed` where there is one of the same secret. */
export function addValidation(set: WriteSet, row: Omit<ValidationRow, 'validated_at'>, now: number): void {
  set.add(deleteExpired, [now]);
  set.guard('validation.changed', 1, insertSession, [
    row.session_id,
    row.purpose,
    row.address,
    row.secret_hash,
    row.send_attempt,
    row.token_hash,
    row.next_link,
    row.expires_at,
  ]);
}

const updateAttempt = sql<
  void,
  [
    sessionId: string,
    attemptBefore: number,
    sendAttempt: number,
    tokenHash: string | null,
    nextLink: string | null,
    expiresAt: number,
  ]
>(
  'email-validations.attempt',
  `update email_validations set send_attempt = $3, token_hash = $4, next_link = $5, expires_at = $6
   where session_id = $1 and send_attempt = $2`,
);

/** Another email about the same. Fails on the guard `validation.changed` if another request was faster. */
export function renewValidation(
  set: WriteSet,
  row: Omit<ValidationRow, 'validated_at' | 'purpose' | 'address' | 'secret_hash'>,
  attemptBefore: number,
): void {
  set.guard('validation.changed', 1, updateAttempt, [
    row.session_id,
    attemptBefore,
    row.send_attempt,
    row.token_hash,
    row.next_link,
    row.expires_at,
  ]);
}

const updateSent = sql<void, [sessionId: string, attemptBefore: number, sendAttempt: number]>(
  'email-validations.sent',
  'update email_validations set send_attempt = $3 where session_id = $1 and send_attempt = $2',
);

/** The email has been sent: this attempt is made. */
export function noteSent(set: WriteSet, sessionId: string, attemptBefore: number, sendAttempt: number): void {
  set.add(updateSent, [sessionId, attemptBefore, sendAttempt]);
}

const updateValidated = sql<void, [sessionId: string, now: number, expiresAt: number]>(
  'email-validations.validate',
  'update email_validations set validated_at = $2, expires_at = $3 where session_id = $1 and validated_at is null',
);

export function markValidated(set: WriteSet, sessionId: string, now: number, expiresAt: number): void {
  set.add(updateValidated, [sessionId, now, expiresAt]);
}

const deleteUsed = sql<void, [sessionId: string, now: number]>(
  'email-validations.use',
  'delete from email_validations where session_id = $1 and validated_at is not null and expires_at > $2',
);
const deleteOthers = sql<void, [address: string, purpose: string]>(
  'email-validations.delete-others',
  'delete from email_validations where address = $1 and purpose = $2',
);

/** Uses it up, and whatever else was under way for the same. Fails on the guard `third-party.not-validated`. */
export function useValidation(
  set: WriteSet,
  { session_id: sessionId, address, purpose }: Pick<ValidationRow, 'session_id' | 'address' | 'purpose'>,
  now: number,
): void {
  set.guard('third-party.not-validated', 1, deleteUsed, [sessionId, now]);
  set.add(deleteOthers, [address, purpose]);
}
