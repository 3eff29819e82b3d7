import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { encodeBase64 } from '@portico/protocol';
import { createWriteSet } from '@portico/storage';
import { findServerKeys, putServerKeys } from '@portico/storage/stores/federation/server-keys.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createKnownKeys, type FetchedKeys } from './known-keys.ts';

const publicKey = encodeBase64(randomBytes(32));
const fetched = (ids: readonly string[], validUntilTs = 10): FetchedKeys => ({
  serverName: 'a.org',
  keys: ids.map((keyId) => ({ keyId, publicKey, expiredTs: undefined })),
  validUntilTs,
  answer: '{}',
  notary: undefined,
});

onBothEngines('known keys: what is stored is seen at once, also where it was known otherwise', async (db, context) => {
  const known = createKnownKeys(db, () => 1);
  context.after(known.close);
  assert.equal((await known.load(['a.org'])).get('a.org')?.size ?? 0, 0);
  await known.store([fetched(['ed25519:1'])]);
  assert.equal((await known.load(['a.org'])).get('a.org')?.get('ed25519:1')?.validUntilTs, 10);
  await known.store([fetched(['ed25519:1'], 20)]);
  assert.equal((await known.load(['a.org', 'b.org'])).get('a.org')?.get('ed25519:1')?.validUntilTs, 20);
});

onBothEngines('known keys: a key that has leaked since it was stored is none', async (db, context) => {
  const set = createWriteSet();
  const row = { server_name: 'a.org', valid_until_ts: 9, expired_ts: null, fetched_at: 1, notary: null };
  const leaked = 'l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og';
  const keys = [
    { ...row, key_id: 'ed25519:leaked', public_key: leaked },
    { ...row, key_id: 'ed25519:good', public_key: publicKey },
  ];
  putServerKeys(set, keys, '{}');
  await db.commit(set);
  const known = createKnownKeys(db, () => 1);
  context.after(known.close);
  assert.deepEqual([...((await known.load(['a.org'])).get('a.org')?.keys() ?? [])], ['ed25519:good']);
});

onBothEngines('known keys: a server that makes up keys has enough some day', async (db, context) => {
  const known = createKnownKeys(db, () => 1);
  context.after(known.close);
  for (let round = 0; round < 5; round++) {
    await known.store([fetched(Array.from({ length: 64 }, (_, index) => `ed25519:${round}_${index}`))]);
  }
  assert.equal((await findServerKeys(db, ['a.org'])).length, 256);
  await known.store([fetched(['ed25519:0_0'], 30)]);
  assert.equal((await known.load(['a.org'])).get('a.org')?.get('ed25519:0_0')?.validUntilTs, 30);
});
