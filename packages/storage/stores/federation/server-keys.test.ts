import assert from 'node:assert/strict';
import { createWriteSet, type Database } from '@portico/storage';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { findServerKeyAnswers, findServerKeys, putServerKeys, type ServerKeyRow } from './server-keys.ts';

const key: ServerKeyRow = {
  server_name: 'a.org',
  key_id: 'ed25519:1',
  public_key: 'one',
  valid_until_ts: 100,
  expired_ts: null,
  fetched_at: 1,
  notary: null,
};

async function put(db: Database, over: Partial<ServerKeyRow>, answer = '{}'): Promise<ServerKeyRow | undefined> {
  const set = createWriteSet();
  putServerKeys(set, [{ ...key, ...over }], answer);
  await db.commit(set);
  return (await findServerKeys(db, ['a.org'])).find(({ key_id }) => key_id === key.key_id);
}

onBothEngines('server keys: what the server says itself replaces what is known', async (db) => {
  assert.deepEqual(await put(db, {}), key);
  const shorter = { public_key: 'two', valid_until_ts: 50, fetched_at: 2 };
  assert.deepEqual(await put(db, shorter), { ...key, ...shorter });
  assert.deepEqual(await findServerKeys(db, ['b.org']), []);
});

onBothEngines('server keys: a notary lengthens what is known, and changes nothing else', async (db) => {
  await put(db, {});
  const notary = 'n.org';
  assert.deepEqual(await put(db, { notary, public_key: 'forged', valid_until_ts: 900 }), key);
  assert.deepEqual(await put(db, { notary, valid_until_ts: 99 }), key);
  const longer = { notary, valid_until_ts: 900, fetched_at: 3 };
  assert.deepEqual(await put(db, longer), { ...key, ...longer });
  assert.deepEqual(await put(db, { notary, expired_ts: 70, valid_until_ts: 900 }), { ...key, ...longer });
  const ended = { expired_ts: 70, valid_until_ts: 0, fetched_at: 4 };
  assert.deepEqual(await put(db, ended), { ...key, ...ended });
  assert.deepEqual(await put(db, { notary, valid_until_ts: 1000 }), { ...key, ...ended });
});

onBothEngines('server keys: the signed answers are kept, one a key', async (db) => {
  await put(db, {}, '{"a":1}');
  await put(db, { key_id: 'ed25519:2' }, '{"a":2}');
  const answers = await findServerKeyAnswers(db, ['a.org', 'b.org']);
  assert.deepEqual(
    answers.map(({ key_id, answer }) => [key_id, answer]),
    [
      ['ed25519:1', '{"a":1}'],
      ['ed25519:2', '{"a":2}'],
    ],
  );
});
