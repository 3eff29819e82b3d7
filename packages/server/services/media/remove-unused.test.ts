import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { MediaRow } from '@portico/storage/stores/media/media.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openFileStore } from './file-store.ts';
import { createMediaService } from './media-service.ts';
import { readChunks } from './receive.ts';
import { createReadings } from './readings.ts';
import { createRemoveUnused } from './remove-unused.ts';

const serverName = parseServerName('a.org') ?? assert.fail();
const hour = 60 * 60 * 1000;
const day = 24 * hour;
const patience = { timeoutMs: 0, signal: new AbortController().signal, allowRemote: true };
const { signal } = patience;

/** People who send files on days that the test says, and an administrator who deletes them. */
async function open(db: Database, context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-media-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  let at = 0;
  const store = await openFileStore({ folder, sync: false, randomBytes });
  const log = { info: () => undefined, error: (fields: object) => assert.fail(JSON.stringify(fields)) };
  const now = () => at;
  // Longer than the test.
  const readings = createReadings({ db, now, log, gather: hour });
  const parts = { db, store, readings, serverName };
  const media = createMediaService({ ...parts, maxUploadSize: 100, now, randomBytes, log });
  context.after(() => media.close());
  const remove = createRemoveUnused(parts);
  return {
    async upload(when: number, text = 'text'): Promise<string> {
      at = when;
      const read = readChunks(
        (async function* () {
          yield Buffer.from(text);
        })(),
      );
      const uri = await media.upload('@a:a.org', { read, length: undefined, contentType: undefined, name: undefined });
      return uri.slice('mxc://a.org/'.length);
    },
    async read(id: string, when: number): Promise<void> {
      at = when;
      await media.find('a.org', id, patience);
    },
    remove: (before: number, largerThan = 0) => remove({ before, largerThan, keepsPictures: true }, signal),
    files: () =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /[0-9a-f]{32}$/.test(name)),
  };
}

onBothEngines('unused media: what was uploaded long ago and never read goes, with its file', async (db, context) => {
  const { upload, read, remove, files } = await open(db, context);
  const old = await upload(10 * day);
  const young = await upload(20 * day);
  assert.deepEqual(await remove(10 * day), []);
  assert.deepEqual(await remove(10 * day + 1), [old]);
  assert.equal(files().length, 1);
  assert.deepEqual(await remove(10 * day + 1), []);
  await assert.rejects(read(old, 21 * day), { reason: 'media.not-found' });
  await read(young, 21 * day);
});

onBothEngines('unused media: what somebody reads stays, until the day of it is over', async (db, context) => {
  const { upload, read, remove } = await open(db, context);
  const id = await upload(10 * day);
  await read(id, 15 * day + 13 * hour);
  assert.deepEqual(await remove(15 * day + 20 * hour), [], 'it may be that it was read later on that day');
  await read(id, 17 * day);
  // As a process does whose clock is behind.
  await read(id, 16 * day);
  assert.deepEqual(await remove(18 * day), []);
  assert.deepEqual(await remove(18 * day + 1), [id]);
});

onBothEngines('unused media: only what is larger goes', async (db, context) => {
  const { upload, remove } = await open(db, context);
  await upload(day, '1234');
  const large = await upload(day, '12345');
  assert.deepEqual(await remove(2 * day, 4), [large]);
});

test('a file is read where it cannot be noted', async () => {
  const failures: unknown[] = [];
  const full = new Error('full');
  const readings = createReadings({
    db: { commit: () => Promise.reject(full) },
    now: () => 5 * day,
    log: { info: () => undefined, error: ({ err }: { readonly err?: unknown }) => failures.push(err) },
  });
  const row = { user_id: '@a:a.org', content_id: 'c', content_type: 't/t', upload_name: null, size: 1 };
  const more = { unused_expires_at: null, read_at: null };
  const note = (mediaId: string, over: Pick<MediaRow, 'last_read_day'> & Partial<MediaRow>) => {
    readings.note({ origin: 'a.org', mediaId }, { ...row, ...more, ...over });
    return readings.flush();
  };
  await note('x', { last_read_day: 4 });
  assert.deepEqual(failures, [full]);
  await note('x', { last_read_day: 5 });
  assert.deepEqual(failures, [full], 'once a day');
  await note('preview', { read_at: 3 * day, last_read_day: null });
  assert.deepEqual(failures, [full], 'images of previews are part of the cache');
});

test('however many files are read, nobody waits for that to be written, and they are written together', async () => {
  const sets: number[] = [];
  const written = Promise.withResolvers<never>();
  const readings = createReadings({
    db: {
      commit({ writes }) {
        sets.push(writes.length);
        return written.promise;
      },
    },
    now: () => 5 * day,
    log: { info: () => undefined, error: () => undefined },
    gather: hour,
  });
  const row = { user_id: '@a:a.org', content_id: 'c', content_type: 't/t', upload_name: null, size: 1 };
  for (let read = 0; read < 20_000; read += 1) {
    const key = { origin: 'a.org', mediaId: `${read % 10_000}` };
    readings.note(key, { ...row, unused_expires_at: null, read_at: null, last_read_day: 4 });
  }
  assert.deepEqual(sets, []);
  const end = readings.flush();
  await Promise.resolve();
  assert.deepEqual(sets, [5000], 'as many as there is room for');
  written.reject(new Error('full'));
  await end;
});
