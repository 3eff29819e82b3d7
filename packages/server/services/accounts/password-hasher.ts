import { argon2, timingSafeEqual, type Argon2Parameters } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { WatchCache } from '../../observability/cache-metrics.ts';

export type Argon2Cost = {
  /** In bytes. */
  readonly memory: number;
  readonly passes: number;
};

type Options = {
  readonly cost: Argon2Cost;
  readonly randomBytes: (count: number) => Uint8Array;
  /** How many may wait for their turn. */
  readonly maxWaiting?: number;
  readonly concurrency?: number;
  readonly watch?: WatchCache | undefined;
};

export interface PasswordHasher {
  /** Throws `password.empty` or `password.too-long` for what cannot become somebody's password; `hash` does so, too. */
  check(password: string): void;
  hash(password: string): Promise<string>;
  /** With no hash to compare with, takes as long as with one and answers no: who asks must not learn which it was. */
  verify(password: string, hash: string | null): Promise<boolean>;
}

const runArgon2: (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer> = promisify(argon2);

const tagLength = 32;
const saltLength = 16;
const maxPasswordBytes = 512;

type Parsed = { readonly cost: { memory: number; passes: number; parallelism: number }; salt: Buffer; tag: Buffer };

const phcFormat = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

function parsePhc(hash: string): Parsed {
  const match = phcFormat.exec(hash);
  if (match === null) throw new Error('A stored password hash is not argon2id');
  const [, memory, passes, parallelism, salt = '', tag = ''] = match;
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');

/**
 * Hashes with argon2id, half of the cores at most, since it runs on the pool that files and name look-ups share.
 * Hashes are kept in the PHC string format, with their own cost: a changed setting leaves old ones valid.
 */
export function createPasswordHasher(options: Options): PasswordHasher {
  const { cost, randomBytes, maxWaiting = 100, concurrency = Math.ceil(availableParallelism() / 2) } = options;
  const inKibibytes = { memory: Math.max(8, Math.floor(cost.memory / 1024)), passes: cost.passes, parallelism: 1 };
  const noHash: Parsed = { cost: inKibibytes, salt: Buffer.alloc(saltLength), tag: Buffer.alloc(tagLength) };
  const waiting: (() => void)[] = [];
  let running = 0;
  options.watch?.('password_hashes', { size: () => waiting.length, limit: () => maxWaiting });

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= concurrency) {
      if (waiting.length >= maxWaiting) {
        throw new MatrixError('server.overloaded', { fields: { retry_after_ms: 2000 } });
      }
      // Whoever finishes hands its place over.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  function compute(password: string, { cost, salt, tag }: Parsed): Promise<Buffer> {
    const message = Buffer.from(password, 'utf8');
    return inTurn(() => runArgon2('argon2id', { ...cost, message, nonce: salt, tagLength: tag.length }));
  }

  function check(password: string): void {
    if (password === '') throw new MatrixError('password.empty');
    if (Buffer.byteLength(password) > maxPasswordBytes) throw new MatrixError('password.too-long');
  }

  return {
    check,
    async hash(password) {
      check(password);
      const salt = Buffer.from(randomBytes(saltLength));
      const tag = await compute(password, { ...noHash, salt });
      const { memory, passes, parallelism } = inKibibytes;
      return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
    },
    async verify(password, hash) {
      if (Buffer.byteLength(password) > maxPasswordBytes) return false;
      const expected = hash === null ? noHash : parsePhc(hash);
      const tag = await compute(password, expected);
      return timingSafeEqual(tag, expected.tag) && hash !== null;
    },
  };
}
