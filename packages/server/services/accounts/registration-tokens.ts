import { createWriteSet, type Database } from '@portico/storage';
import {
  addRegistrationToken,
  changeRegistrationToken,
  findRegistrationToken,
  listRegistrationTokens,
  removeRegistrationToken,
  type RegistrationTokenRow,
} from '@portico/storage/stores/accounts/accounts-registration.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { StageCheck } from './uia.ts';

export type RegistrationToken = {
  readonly token: string;
  readonly usesAllowed: number | null;
  readonly completed: number;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null;
  readonly isValid: boolean;
};

export type NewRegistrationToken = {
  /** Random if absent, of so many characters. */
  readonly token?: string | undefined;
  readonly length?: number | undefined;
  readonly usesAllowed?: number | undefined;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number | undefined;
};

export interface RegistrationTokens {
  add(token: NewRegistrationToken): Promise<string>;
  /** A page of at most a thousand, in order; `after` is the last one of the page before. */
  list(after?: string): Promise<RegistrationToken[]>;
  /** Throws `not-found`. */
  get(token: string): Promise<RegistrationToken>;
  /** What is `undefined` stays, and what is null ends. Throws `not-found`. */
  change(
    token: string,
    limits: { readonly usesAllowed: number | null | undefined; readonly expiresAt: number | null | undefined },
  ): Promise<void>;
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
  function describe(row: RegistrationTokenRow): RegistrationToken {
    const { token, completed, uses_allowed: usesAllowed, expires_at: expiresAt } = row;
    const isValid = (usesAllowed ?? Infinity) > completed && (expiresAt ?? Infinity) > now();
    return { token, usesAllowed, completed, expiresAt, isValid };
  }

  async function find(token: string): Promise<RegistrationToken | undefined> {
    const row = tokenFormat.test(token) ? await findRegistrationToken(db, token) : undefined;
    return row && describe(row);
  }

  async function get(token: string): Promise<RegistrationToken> {
    const found = await find(token);
    if (found === undefined) throw new MatrixError('not-found');
    return found;
  }

  const isValid = async (token: string): Promise<boolean> => (await find(token))?.isValid ?? false;
  const random = (length: number) => Buffer.from(randomBytes(length)).toString('base64url').slice(0, length);

  return {
    async add({ length = 16, token = random(length), usesAllowed, expiresAt }) {
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
    list: async (after = '') => (await listRegistrationTokens(db, after)).map(describe),
    get,
    async change(token, limits) {
      const before = await get(token);
      const { usesAllowed = before.usesAllowed, expiresAt = before.expiresAt } = limits;
      const set = createWriteSet();
      changeRegistrationToken(set, token, { usesAllowed, expiresAt });
      await db.commit(set);
    },
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
