import type { StageCheck } from '../accounts/uia.ts';
import type { Purpose } from './emails.ts';
import type { Credentials, EmailValidations } from './validations.ts';

/**
 * Stage `m.login.email.identity`, of clients that have asked this server for a token.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#email-based-identity--homeserver}
 */
export function emailStage(validations: EmailValidations, purpose: Purpose): StageCheck {
  return async ({ threepid_creds: given }) => {
    const credentials = readCredentials(given);
    const row = credentials && (await validations.find(purpose, credentials));
    if (row === undefined) return { kind: 'failed', reason: 'third-party.not-validated' };
    return { kind: 'passed', emailSession: row.session_id };
  };
}

function readCredentials(value: unknown): Credentials | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { sid, client_secret: secret } = value as { sid?: unknown; client_secret?: unknown };
  return typeof sid === 'string' && typeof secret === 'string' ? { sid, client_secret: secret } : undefined;
}
