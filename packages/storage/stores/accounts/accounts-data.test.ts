import assert from 'node:assert/strict';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import {
  countAccountData,
  findAccountData,
  listAccountDataSince,
  replaceAccountData,
  setAccountData,
} from './accounts-data.ts';
import { addFilter, findFilter, findFilterId } from './accounts-filters.ts';

async function commit(db: Database, write: (set: WriteSet) => void) {
  const set = createWriteSet();
  write(set);
  return db.commit(set);
}

const data = (type: string, content: string, userId = '@a:x', roomId = '') => ({ userId, roomId, type, content });

onBothEngines('account data: what changed since a position, in order', async (db) => {
  const start = db.currentPosition();
  const seen: (string | number)[] = [];
  db.onChanges((batch) => {
    for (const { changes } of batch) for (const { kind, key } of changes) if (kind === 'account_data') seen.push(key);
  });
  await commit(db, (set) => setAccountData(set, data('one', '{"n":1}')));
  await commit(db, (set) => setAccountData(set, data('two', '{}', '@a:x', '!r')));
  const middle = db.currentPosition();
  await commit(db, (set) => setAccountData(set, data('one', '{"n":2}')));
  await commit(db, (set) => setAccountData(set, data('one', '{}', '@b:x')));
  const end = db.currentPosition();

  const since = (after: number, upTo: number, limit = 10) =>
    listAccountDataSince(db, '@a:x', { after, upTo, limit }).then((rows) =>
      rows.map(({ room_id: room, type, content }) => `${room}/${type}=${content}`),
    );
  assert.deepEqual(await since(start, end), ['!r/two={}', '/one={"n":2}']);
  assert.deepEqual(await since(middle, end), ['/one={"n":2}']);
  assert.deepEqual(await since(start, middle), ['!r/two={}']);
  assert.deepEqual(await since(start, end, 1), ['!r/two={}']);
  assert.deepEqual(seen, ['@a:x', '@a:x', '@a:x', '@b:x']);
  assert.equal(await countAccountData(db, '@a:x', 100), 2);
  assert.equal(await countAccountData(db, '@a:x', 1), 1);
});

onBothEngines('account data: who edits what has changed meanwhile fails', async (db) => {
  await commit(db, (set) => setAccountData(set, data('t', '{"by":"client"}')));
  const read = await findAccountData(db, '@a:x', '', 't');
  assert.ok(read);
  await commit(db, (set) => replaceAccountData(set, data('t', '{"by":"server"}'), read.stream_position));
  await assert.rejects(
    commit(db, (set) => replaceAccountData(set, data('t', '{"by":"late"}'), read.stream_position)),
    { reason: 'guard-failed', guard: 'account-data.changed' },
  );
  assert.equal((await findAccountData(db, '@a:x', '', 't'))?.content, '{"by":"server"}');
});

onBothEngines('filters: the same has the same ID, the oldest goes', async (db) => {
  const add = async (definition: string, userId = '@a:x') => {
    const filter = { definitionHash: `hash of ${definition}`, definition };
    const { returned } = await commit(db, (set) => addFilter(set, userId, filter, 2));
    const [[row]] = returned as [[{ filter_id: number }]];
    return row.filter_id;
  };
  assert.deepEqual([await add('1'), await add('2'), await add('1'), await add('1', '@b:x')], [1, 2, 1, 1]);
  assert.equal(await findFilterId(db, '@a:x', 'hash of 2'), 2);
  assert.equal(await add('3'), 3);
  assert.deepEqual(await Promise.all([1, 2, 3].map((id) => findFilter(db, '@a:x', id))), [undefined, '2', '3']);
  assert.equal(await findFilter(db, '@b:x', 1), '1');
});
