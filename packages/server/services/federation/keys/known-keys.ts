import {
  decodeBase64,
  isKeyValidAt,
  parseVerifyKey,
  type KeyValidity,
  type RoomVersionRules,
  type VerifyKey,
} from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { findServerKeys, putServerKeys, type ServerKeyRow } from '@portico/storage/stores/federation/server-keys.ts';
import type { WatchCache } from '../../../observability/cache-metrics.ts';
import { createSmallCache } from '../../reading/small-cache.ts';
import type { PublishedKey } from './key-answer.ts';
import { isLeaked } from './leaked-keys.ts';

export type KnownKey = KeyValidity & { readonly key: VerifyKey };

/** The keys of one server, by key ID. */
export type KeyRing = ReadonlyMap<string, KnownKey>;

export type FetchedKeys = {
  readonly serverName: string;
  readonly keys: readonly PublishedKey[];
  readonly validUntilTs: number;
  /** Canonical JSON, as the server has signed it. */
  readonly answer: string;
  /** Who gave it to us; `undefined` where the server itself did. */
  readonly notary: string | undefined;
};

/** Keys of other servers that this one has in its database. */
export interface KnownKeys {
  load(serverNames: readonly string[]): Promise<ReadonlyMap<string, KeyRing>>;
  store(fetched: readonly FetchedKeys[]): Promise<void>;
  close(): void;
}

const mostServers = 10_000;
/** Rows of one server. One that invents more has enough already. */
const mostKeysOfServer = 256;
const none: KeyRing = new Map();

function toKnownKey(row: ServerKeyRow): KnownKey | undefined {
  if (isLeaked(row.public_key)) return undefined;
  const key = parseVerifyKey(decodeBase64(row.public_key) ?? new Uint8Array());
  return key && { key, validUntilTs: row.valid_until_ts, expiredTs: row.expired_ts ?? undefined };
}

export function createKnownKeys(db: Database, now: () => number, watch?: WatchCache): KnownKeys {
  const rings = createSmallCache<string, KeyRing>(mostServers);
  watch?.('server_keys', { size: () => rings.size, limit: () => mostServers });
  let changes = 0;
  const stop = db.onChanges((batch) => {
    for (const { changes: ofCommit } of batch) {
      for (const { kind, key } of ofCommit) {
        if (kind !== 'server_keys') continue;
        changes++;
        rings.delete(String(key));
      }
    }
  });

  async function read(serverNames: readonly string[]): Promise<ReadonlyMap<string, KeyRing>> {
    const found = new Map<string, Map<string, KnownKey>>();
    if (serverNames.length === 0) return found;
    const before = changes;
    for (const row of await findServerKeys(db, serverNames)) {
      const key = toKnownKey(row);
      if (key === undefined) continue;
      const ring = found.get(row.server_name) ?? new Map<string, KnownKey>();
      found.set(row.server_name, ring.set(row.key_id, key));
    }
    // What changed meanwhile may have been read before the change: it is read again next time.
    if (changes === before) for (const name of serverNames) rings.set(name, found.get(name) ?? none);
    return found;
  }

  return {
    async load(serverNames) {
      const loaded = new Map<string, KeyRing>();
      const missing: string[] = [];
      for (const name of new Set(serverNames)) {
        const ring = rings.get(name);
        if (ring === undefined) missing.push(name);
        else loaded.set(name, ring);
      }
      for (const [name, ring] of await read(missing)) loaded.set(name, ring);
      return loaded;
    },
    async store(fetched) {
      const known = await read(fetched.map(({ serverName }) => serverName));
      const set = createWriteSet();
      for (const { serverName, keys, validUntilTs, answer, notary } of fetched) {
        const ring = known.get(serverName) ?? none;
        const room = Math.max(0, mostKeysOfServer - ring.size);
        const fresh = keys.filter(({ keyId }) => !ring.has(keyId)).slice(0, room);
        const rows = [...keys.filter(({ keyId }) => ring.has(keyId)), ...fresh].map(
          ({ keyId, publicKey, expiredTs }): ServerKeyRow => ({
            server_name: serverName,
            key_id: keyId,
            public_key: publicKey,
            valid_until_ts: validUntilTs,
            expired_ts: expiredTs ?? null,
            fetched_at: now(),
            notary: notary ?? null,
          }),
        );
        putServerKeys(set, rows, answer);
      }
      if (set.writes.length > 0) await db.commit(set);
    },
    close: stop,
  };
}

/** Whether a signature made at this time by this key counts for a request: "valid for signing federation requests". */
export function isKeyCurrent({ validUntilTs = 0, expiredTs }: KeyValidity, at: number): boolean {
  return expiredTs === undefined && validUntilTs >= at;
}

export function findValidKey(
  ring: KeyRing | undefined,
  keyId: string,
  rules: RoomVersionRules,
  originServerTs: number,
  now: number,
): VerifyKey | undefined {
  const known = ring?.get(keyId);
  return known !== undefined && isKeyValidAt(rules, known, originServerTs, now) ? known.key : undefined;
}
