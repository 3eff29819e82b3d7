import { createWriteSet, type Database } from '@portico/storage';
import {
  addRegistrationToken,
  findRegistrationToken,
  listRegistrationTokens,
  removeRegistrationToken,
  type RegistrationTokenRow,
} from '@portico/storage/stores/accounts/accounts-registration.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { StageCheck } from './uia.ts';

export type NewRegistrationToken = {
  /** Random if absent. */
  readonly token?: string | undefined;
  readonly usesAllowed?: number | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | undefined;
};

export interface RegistrationTokens {
  add(token: NewRegistrationToken): Promise<string>;
  /** A page of at most a thousand, in order; `after` is the last one of the page before. */
  list(after?: string): Promise<RegistrationTokenRow[]>;
  /** Throws `not-found`. */
  revoke(token: string): Promise<void>;
  isValid(token: string): Promise<boolean>;
  /** Stage `m.login.registration_token`. */
  readonly check: StageCheck;
}

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

/**
 * > an opaque string with maximum length of 64 characters in the range [A-Za-z0-9._~-]
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#token-authenticated-registration}
 */
const tokenFormat = /^[A-Za-z0-9._~-]{1,64}$/;

export function createRegistrationTokens({ db, now, randomBytes }: Dependencies): RegistrationTokens {
  async function isValid(token: string): Promise<boolean> {
    const row = tokenFormat.test(token) ? await findRegistrationToken(db, token) : undefined;
    if (row === undefined) return false;
    return (row.uses_allowed ?? Infinity) > row.completed && (row.expires_at ?? Infinity) > now();
  }

  return {
    async add({ token = Buffer.from(randomBytes(12)).toString('base64url'), usesAllowed, expiresAt }) {
      if (!tokenFormat.test(token)) {
        throw new MatrixError('request.invalid-param', {
          message: 'A registration token has 1 to 64 characters of A-Z, a-z, 0-9, ".", "_", "~" and "-".',
        });
      }
      const set = createWriteSet();
      addRegistrationToken(set, token, { usesAllowed, createdAt: now(), expiresAt });
      await db.commit(set);
      return token;
    },
    list: (after = '') => listRegistrationTokens(db, after),
    async revoke(token) {
      const set = createWriteSet();
      removeRegistrationToken(set, token);
      await db.commit(set);
    },
    isValid,
    async check({ token }) {
      if (typeof token !== 'string' || !(await isValid(token))) {
        return { kind: 'failed', reason: 'registration-token.invalid' };
      }
      return { kind: 'passed', registrationToken: token };
    },
  };
}
