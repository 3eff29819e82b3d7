import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEmptyTestDatabase, openFor, temporarySqlite } from '@portico/testkit';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createWriteSet, openDatabase, sql } from '../../index.ts';
import { useOfMedia } from '../../migrations/0069-use-of-media.ts';
import { migrations } from '../../migrations/index.ts';
import { addMedia } from './media.ts';
import { addRemoteMedia } from './remote-media.ts';
import { dayOfReading, listUnusedMedia, noteReading } from './unused-media.ts';

const content = (contentId: string) => ({ contentId, contentType: 'text/plain', name: 'n', size: 3 });
const readDays = sql<{ media_id: string; last_read_day: number | null }>(
  'test.unused-media.days',
  'select media_id, last_read_day from media order by media_id',
);

onBothEngines('unused media: the last day of reading stays noted, of this server’s own files', async (db) => {
  const [own, theirs] = [
    { origin: 'a.org', mediaId: 'own' },
    { origin: 'b.org', mediaId: 'theirs' },
  ];
  const set = createWriteSet();
  addMedia(set, own, '@a:a.org', content('c1'), 0);
  addRemoteMedia(set, theirs, content('c2'), 0);
  await db.commit(set);
  for (const day of [7, 8, 6]) {
    const noting = createWriteSet();
    noteReading(noting, own, day);
    noteReading(noting, theirs, day);
    await db.commit(noting);
  }
  assert.deepEqual(
    (await db.all(readDays, [])).map((row) => row.last_read_day),
    [8, null],
  );
});

for (const [engine, freshUrl] of [
  ['SQLite', async (context: Parameters<typeof temporarySqlite>[0]) => temporarySqlite(context)],
  ['PostgreSQL', async () => createEmptyTestDatabase()],
] as const) {
  test(`unused media: files of an older database are not taken for unread (${engine})`, async (context) => {
    const url = await freshUrl(context);
    const before = migrations.filter(({ version }) => version < useOfMedia.version);
    const old = await openDatabase({ url, durability: 'relaxed', migrations: before });
    const set = createWriteSet();
    addMedia(set, { origin: 'a.org', mediaId: 'first' }, '@a:a.org', content('c1'), 3 * dayOfReading);
    addMedia(set, { origin: 'a.org', mediaId: 'last' }, '@a:a.org', content('c2'), 9 * dayOfReading + 5);
    addRemoteMedia(set, { origin: 'b.org', mediaId: 'theirs' }, content('c3'), 8 * dayOfReading);
    await old.commit(set);
    await old.close();
    const db = await openFor(context, url);
    assert.deepEqual(
      (await db.all(readDays, [])).map((row) => [row.media_id, row.last_read_day]),
      [
        ['first', 9],
        ['last', 9],
        ['theirs', null],
      ],
    );
    const list = (day: number) =>
      listUnusedMedia(db, 'a.org', { after: '', before: day * dayOfReading + 1, largerThan: 0, limit: 9 });
    assert.deepEqual(await list(9), []);
    assert.deepEqual(
      (await list(10)).map((row) => row.media_id),
      ['first', 'last'],
    );
  });
}
