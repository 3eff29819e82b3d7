import { timingSafeEqual } from 'node:crypto';
import { parseEmailAddress } from '@portico/protocol/ids/email-address.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  addValidation,
  findValidation,
  findValidationBySecret,
  markValidated,
  noteSent,
  renewValidation,
  useValidation,
  type ValidationRow,
} from '@portico/storage/stores/accounts/email-validations.ts';
import { findThirdPartyOwner } from '@portico/storage/stores/accounts/third-party-ids.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken } from '../accounts/access-tokens.ts';
import { isGuardFailure } from '../accounts/guards.ts';
import type { Mailer, MailPlace } from '../mail/mailer.ts';
import type { RateLimiter } from '../rate-limit/rate-limiter.ts';
import { linkEmail, otherwiseEmail, type Purpose } from './emails.ts';
import { checkNextLink } from './next-link.ts';

export type TokenRequest = {
  readonly client_secret: string;
  readonly email: string;
  readonly send_attempt: number;
  readonly next_link?: string;
};

/** With which a client shows that a validation was its own. */
export type Credentials = { readonly sid: string; readonly client_secret: string };

/** A link that was followed: what it is about. */
export type FollowedLink = {
  readonly purpose: Purpose;
  readonly address: string;
  readonly isValidated: boolean;
  readonly nextLink: string | undefined;
};

/** Proofs that an email address is somebody's: a client asks for one, and a link in an email gives it. */
export interface EmailValidations {
  /** False where the server sends no email. */
  readonly isAvailable: boolean;
  /** Sends an email, and answers which validation it is about. */
  request(purpose: Purpose, request: TokenRequest): Promise<string>;
  /** What a link is about, or `undefined` where it is over or was never one. */
  follow(sessionId: string, token: string): Promise<FollowedLink | undefined>;
  /** The same, and from then on the address is proved. */
  confirm(sessionId: string, token: string): Promise<FollowedLink | undefined>;
  /** The validation of these credentials, if the address was proved for that purpose and the proof is still good. */
  find(purpose: Purpose, credentials: Credentials): Promise<ValidationRow | undefined>;
  /** One that was found before, by its ID. */
  findById(purpose: Purpose, sessionId: string): Promise<ValidationRow | undefined>;
  /** Uses a proof up, together with what it is used for. */
  useUp(set: WriteSet, row: ValidationRow): void;
}

type Options = {
  readonly serverName: string;
  readonly publicBaseUrl: string;
  /** Whether clients are told that an address is taken, or nobody's. */
  readonly revealsAddresses: boolean;
  readonly nextLinkHosts: readonly string[] | undefined;
};

type Dependencies = {
  readonly db: Database;
  readonly mailer: Mailer | undefined;
  readonly rateLimiter: RateLimiter;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

type Writing = {
  readonly before: ValidationRow | undefined;
  readonly key: Pick<ValidationRow, 'address' | 'purpose' | 'secret_hash'>;
  readonly purpose: Purpose;
  readonly owner: string | undefined;
  /** Whether a link would be of use, or an email says that it is not. */
  readonly isFit: boolean;
  readonly asked: Pick<TokenRequest, 'send_attempt'>;
  readonly nextLink: string | null;
};

const hour = 3_600_000;
/** From the email to the link, and again from there to what the proof is used for. What opens an account is over sooner. */
const lifetimes: Readonly<Record<Purpose, number>> = { add: 24 * hour, register: 24 * hour, reset: hour };

/** "a string consisting of the characters `[0-9a-zA-Z.=_-]`. Its length must not exceed 255 characters" */
const secretFormat = /^[0-9a-zA-Z.=_-]{1,255}$/;

/** Where the links in emails lead. */
export const linkPath = '/_portico/client/v1/email/submit_token';

export function createEmailValidations(options: Options, dependencies: Dependencies): EmailValidations {
  const { serverName, publicBaseUrl, revealsAddresses, nextLinkHosts } = options;
  const { db, mailer, rateLimiter, now, randomBytes } = dependencies;

  const newSecret = (bytes: number): string => Buffer.from(randomBytes(bytes)).toString('base64url');
  const isLive = (row: ValidationRow | undefined): row is ValidationRow => row !== undefined && row.expires_at > now();

  /** What is being sent, by what was asked for: the same request may come again before the first one is answered. */
  const underWay = new Map<string, Promise<string>>();

  async function request(purpose: Purpose, { client_secret: secret, email, ...asked }: TokenRequest): Promise<string> {
    if (mailer === undefined) throw new MatrixError('third-party.not-supported');
    const address = parseEmailAddress(email);
    if (address === undefined) {
      throw new MatrixError('request.invalid-param', { message: 'This is not a valid email address.' });
    }
    if (!secretFormat.test(secret)) {
      throw new MatrixError('request.invalid-param', {
        message: 'client_secret has 1 to 255 characters of 0-9, a-z, A-Z, ".", "=", "_" and "-".',
      });
    }
    const nextLink = asked.next_link === undefined ? null : checkNextLink(asked.next_link, nextLinkHosts);
    const key = { address, purpose, secret_hash: hashToken(secret) };
    const id = JSON.stringify([key, asked.send_attempt]);
    const same = underWay.get(id);
    if (same !== undefined) return same;
    const answer = askOnce(key, asked, nextLink).finally(() => underWay.delete(id));
    underWay.set(id, answer);
    return answer;
  }

  async function askOnce(key: Writing['key'], asked: Writing['asked'], nextLink: string | null): Promise<string> {
    const { address } = key;
    const purpose = key.purpose as Purpose;
    const before = await findValidationBySecret(db, key);
    // "If they do not, the server should respond with success but not resend the email."
    if (isLive(before) && before.send_attempt >= asked.send_attempt) return before.session_id;

    const owner = await findThirdPartyOwner(db, 'email', address);
    const isFit = (purpose === 'reset') === (owner !== undefined);
    if (!isFit && revealsAddresses)
      throw new MatrixError(purpose === 'reset' ? 'third-party.not-found' : 'third-party.taken');
    rateLimiter.take('email-to-address', address);
    const place = mailer?.reserve();
    if (place === undefined) throw new MatrixError('third-party.not-supported');
    try {
      return await write({ before, key, purpose, owner, isFit, asked, nextLink }, place);
    } finally {
      place.release();
    }
  }

  async function write({ before, key, purpose, owner, isFit, asked, nextLink }: Writing, place: MailPlace) {
    const token = newSecret(32);
    const row = {
      session_id: before?.session_id ?? newSecret(18),
      ...key,
      // Not made yet: whoever asks again after this process has died gets an email.
      send_attempt: asked.send_attempt - 1,
      token_hash: isFit ? hashToken(token) : null,
      next_link: nextLink,
      expires_at: now() + lifetimes[purpose],
    };
    const set = createWriteSet();
    if (isLive(before)) renewValidation(set, row, before.send_attempt);
    else addValidation(set, row, now());
    await db.commit(set);
    const link = `${publicBaseUrl}${linkPath}?sid=${row.session_id}&token=${token}`;
    const content = isFit ? linkEmail(purpose, serverName, owner, link) : otherwiseEmail(purpose, serverName);
    // To the address in its canonical form: one that merely folds to it may be somebody else's.
    await place.send({ to: key.address, content });
    const sent = createWriteSet();
    noteSent(sent, row.session_id, row.send_attempt, asked.send_attempt);
    await db.commit(sent);
    return row.session_id;
  }

  async function findByToken(sessionId: string, token: string): Promise<ValidationRow | undefined> {
    const row = await findValidation(db, sessionId);
    return isLive(row) && row.token_hash !== null && isSame(hashToken(token), row.token_hash) ? row : undefined;
  }

  async function findById(purpose: Purpose, sessionId: string): Promise<ValidationRow | undefined> {
    const row = await findValidation(db, sessionId);
    return isLive(row) && row.purpose === purpose && row.validated_at !== null ? row : undefined;
  }

  return {
    isAvailable: mailer !== undefined,
    async request(purpose, asked) {
      try {
        return await request(purpose, asked);
      } catch (error) {
        if (!isGuardFailure(error, 'validation.changed')) throw error;
        // The same request came twice at once, and this one finds what the other has left.
        return request(purpose, asked);
      }
    },
    async follow(sessionId, token) {
      const row = await findByToken(sessionId, token);
      return row && followed(row);
    },
    async confirm(sessionId, token) {
      const row = await findByToken(sessionId, token);
      if (row === undefined) return undefined;
      if (row.validated_at === null) {
        const set = createWriteSet();
        markValidated(set, sessionId, now(), now() + lifetimes[row.purpose as Purpose]);
        await db.commit(set);
      }
      return followed(row);
    },
    async find(purpose, { sid, client_secret: secret }) {
      const row = await findById(purpose, sid);
      return row !== undefined && isSame(hashToken(secret), row.secret_hash) ? row : undefined;
    },
    findById,
    useUp: (set, row) => useValidation(set, row, now()),
  };
}

function followed(row: ValidationRow): FollowedLink {
  return {
    purpose: row.purpose as Purpose,
    address: row.address,
    isValidated: row.validated_at !== null,
    nextLink: row.next_link ?? undefined,
  };
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
