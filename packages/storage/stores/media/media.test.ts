import assert from 'node:assert/strict';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { addThumbnail, findThumbnail } from './media-thumbnails.ts';
import { addMedia, addMediaPlace, fillMediaPlace, findMedia, findUsedContents } from './media.ts';

async function commit(db: Database, write: (set: WriteSet) => void): Promise<void> {
  const set = createWriteSet();
  write(set);
  await db.commit(set);
}

const key = (mediaId: string) => ({ origin: 'a.org', mediaId });
const content = (contentId: string) => ({ contentId, contentType: 'text/plain', name: 'n', size: 3 });
const failsOn = (guard: string) => ({ reason: 'guard-failed', guard });
const place = { userId: '@a:a.org', now: 10, expiresAt: 20, mostUnused: 2 };

onBothEngines('media: what was uploaded is found by its whole address', async (db) => {
  await commit(db, (set) => addMedia(set, key('one'), '@a:a.org', content('c1'), 5));
  assert.deepEqual(await findMedia(db, key('one')), {
    user_id: '@a:a.org',
    content_id: 'c1',
    content_type: 'text/plain',
    upload_name: 'n',
    size: 3,
    unused_expires_at: null,
    read_at: null,
    last_read_day: null,
  });
  assert.equal(await findMedia(db, { origin: 'b.org', mediaId: 'one' }), undefined);
});

onBothEngines('media: a place is filled once, by whom it is for, in time', async (db) => {
  await commit(db, (set) => addMediaPlace(set, key('p'), place));
  const fill = (userId: string, now: number) =>
    commit(db, (set) => fillMediaPlace(set, key('p'), userId, content('c1'), now));
  await assert.rejects(fill('@b:a.org', 11), failsOn('media.already-uploaded'));
  await assert.rejects(fill('@a:a.org', 20), failsOn('media.already-uploaded'));
  await fill('@a:a.org', 19);
  await assert.rejects(fill('@a:a.org', 19), failsOn('media.already-uploaded'));
  assert.equal((await findMedia(db, key('p')))?.content_id, 'c1');
});

onBothEngines('media: unused places are counted per user, and expire', async (db) => {
  const add = (mediaId: string, over: Partial<typeof place> = {}) =>
    commit(db, (set) => addMediaPlace(set, key(mediaId), { ...place, ...over }));
  await add('1');
  await add('2');
  await assert.rejects(add('3'), failsOn('media.too-many-pending'));
  await add('3', { userId: '@b:a.org' });
  await commit(db, (set) => fillMediaPlace(set, key('1'), '@a:a.org', content('c1'), 11));
  await add('4');
  await add('5', { now: 20, expiresAt: 30 });
  assert.equal(await findMedia(db, key('2')), undefined);
  assert.notEqual(await findMedia(db, key('1')), undefined);
});

onBothEngines('media: thumbnails are stored once, for originals that are there', async (db) => {
  await commit(db, (set) => addMedia(set, key('one'), '@a:a.org', content('c1'), 5));
  const row = { thumbnail_id: 't1', content_type: 'image/png', size: 1 };
  const add = (contentId: string, thumbnail = row) =>
    commit(db, (set) => addThumbnail(set, contentId, '32x32-crop', thumbnail));
  await add('c1');
  await assert.rejects(add('c1', { ...row, thumbnail_id: 't2' }), failsOn('media.thumbnail-unwanted'));
  await assert.rejects(add('gone'), failsOn('media.thumbnail-unwanted'));
  assert.deepEqual(await findThumbnail(db, 'c1', '32x32-crop'), row);
  assert.deepEqual(await findUsedContents(db, ['c1', 't1', 't2', 'gone']), new Set(['c1', 't1']));
});
