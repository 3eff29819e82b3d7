import { hash } from 'node:crypto';
import { isForAdministering } from '@portico/protocol/oauth/scope.ts';
import { createWriteSet, type Database } from '@portico/storage';
import { useRefreshedToken } from '@portico/storage/stores/accounts/accounts-refresh.ts';
import { findAccessToken, type TokenRow } from '@portico/storage/stores/accounts/accounts.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { WatchCache } from '../../observability/cache-metrics.ts';
import { isGuardFailure } from './guards.ts';
import { standingOf } from './standing.ts';
import type { Sender } from './sender.ts';

/** 256 random bits, as text that may stand in a header or an address. */
export function newAccessToken(randomBytes: (count: number) => Uint8Array): string {
  return Buffer.from(randomBytes(32)).toString('base64url');
}

/** The only form in which a token is stored. It has too much entropy to be guessed from its hash. */
export function hashToken(token: string): string {
  return hash('sha256', token, 'base64url');
}

export interface AccessTokens {
  /** Throws `token.unknown`, as a soft logout, for a token that has expired. */
  findSender(token: string): Sender | undefined | Promise<Sender | undefined>;
  close(): void;
}

type Options = {
  readonly db: Database;
  readonly now: () => number;
  /** How many tokens in use are remembered. */
  readonly maxCached?: number;
  readonly watch?: WatchCache | undefined;
};

type Cached = { readonly sender: Sender; readonly expiresAt: number };

/** Tells whose an access token is: from memory where it was used lately, until anything about its user's tokens changes. */
export function createAccessTokens({ db, now, maxCached = 10_000, watch }: Options): AccessTokens {
  const cache = new Map<string, Cached>();
  const tokensOf = new Map<string, Set<string>>();
  // What was read before a change of anybody's tokens is not remembered after it.
  let changes = 0;
  let hits = 0;
  let misses = 0;
  watch?.('access_tokens', {
    size: () => cache.size,
    limit: () => maxCached,
    hits: () => hits,
    misses: () => misses,
  });

  function forget(tokenHash: string): void {
    const cached = cache.get(tokenHash);
    if (cached === undefined) return;
    cache.delete(tokenHash);
    const { userId } = cached.sender;
    const tokens = tokensOf.get(userId);
    tokens?.delete(tokenHash);
    if (tokens?.size === 0) tokensOf.delete(userId);
  }

  function remember(entry: Cached): void {
    const { tokenHash, userId } = entry.sender;
    if (cache.size >= maxCached) forget(cache.keys().next().value ?? '');
    cache.set(tokenHash, entry);
    const tokens = tokensOf.get(userId);
    if (tokens === undefined) tokensOf.set(userId, new Set([tokenHash]));
    else tokens.add(tokenHash);
  }

  /** The token is used for the first time: what it replaces ends. Answers whether it is still good afterwards. */
  async function settle(tokenHash: string, row: TokenRow, replaces: string): Promise<boolean> {
    const set = createWriteSet();
    useRefreshedToken(set, { tokenHash, userId: row.user_id, deviceId: row.device_id, replaces }, now());
    try {
      await db.commit(set);
    } catch (error) {
      // Another request with the same token was faster, or the token was replaced in that moment.
      if (!isGuardFailure(error, 'access-token.changed')) throw error;
    }
    return (await findAccessToken(db, tokenHash))?.deactivated_at === null;
  }

  async function load(tokenHash: string): Promise<Sender | undefined> {
    const before = changes;
    const row = await findAccessToken(db, tokenHash);
    if (row === undefined || row.deactivated_at !== null) return undefined;
    const expiresAt = row.expires_at ?? Infinity;
    if (expiresAt <= now()) throw expired();
    if (row.replaces_token_hash !== null && !(await settle(tokenHash, row, row.replaces_token_hash))) return undefined;
    const mayAdminister = row.scope === null || isForAdministering(row.scope);
    const sender: Sender = {
      userId: row.user_id,
      deviceId: row.device_id,
      isAdmin: row.is_admin === 1 && mayAdminister,
      ...(row.is_admin === 1 && !mayAdminister && { lacksAdminScope: true }),
      ...standingOf(row),
      tokenHash,
    };
    if (changes === before && !cache.has(tokenHash)) remember({ sender, expiresAt });
    return sender;
  }

  const stop = db.onChanges((batch) => {
    for (const { changes: inBatch } of batch) {
      for (const { kind, key } of inBatch) {
        if (kind !== 'access_tokens') continue;
        changes += 1;
        for (const tokenHash of tokensOf.get(String(key)) ?? []) forget(tokenHash);
      }
    }
  });

  return {
    findSender(token) {
      const tokenHash = hashToken(token);
      const cached = cache.get(tokenHash);
      if (cached === undefined) {
        misses += 1;
        return load(tokenHash);
      }
      if (cached.expiresAt <= now()) {
        forget(tokenHash);
        throw expired();
      }
      hits += 1;
      // The map's order is the order of last use.
      cache.delete(tokenHash);
      cache.set(tokenHash, cached);
      return cached.sender;
    },
    close: stop,
  };
}

/**
 * The device is still logged in: its client refreshes the token, or logs in again on the same device.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#soft-logout}
 */
function expired(): MatrixError {
  return new MatrixError('token.unknown', {
    message: 'The access token has expired.',
    fields: { soft_logout: true },
  });
}
