import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import { parseServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import type { ContentStore } from './content-store.ts';
import { createReadings } from './readings.ts';
import { readChunks } from './receive.ts';
import { openFileStore } from './file-store.ts';
import { createMediaService, type MediaDependencies } from './media-service.ts';
import { sweepOrphans } from './sweep.ts';

const serverName = parseServerName('a.org');
assert.ok(serverName);
const user = '@a:a.org';
const hour = 60 * 60 * 1000;

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'portico-media-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function namesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /[0-9a-f]{32}$/.test(name));
}

async function open(db: Database, context: TestContext, more: Partial<MediaDependencies> = {}) {
  const folder = makeFolder(context);
  const store = more.store ?? (await openFileStore({ folder, sync: true, randomBytes }));
  const log = { info: () => undefined, error: (fields: object) => assert.fail(JSON.stringify(fields)) };
  const common = {
    db,
    store,
    serverName: serverName ?? assert.fail(),
    maxUploadSize: 100,
    now: Date.now,
    randomBytes,
    log,
    readings: createReadings({ db, now: Date.now, log, gather: hour }),
  };
  const media = createMediaService({ ...common, ...more });
  context.after(() => media.close());
  return { media, store, folder };
}

async function* chunksOf(...chunks: readonly string[]) {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

const uploadOf = (...chunks: readonly string[]) => ({
  read: readChunks(chunksOf(...chunks)),
  length: undefined,
  contentType: 'text/plain',
  name: undefined,
});
const patience = { timeoutMs: 0, signal: new AbortController().signal, allowRemote: true };
const idOf = (uri: string) => uri.slice('mxc://a.org/'.length);

onBothEngines('media: two people who send the same file have a file each', async (db, context) => {
  const { media, folder } = await open(db, context);
  const uris = [await media.upload(user, uploadOf('sa', 'me')), await media.upload('@b:a.org', uploadOf('same'))];
  assert.equal(namesIn(folder).length, 2);
  for (const uri of uris) {
    const found = await media.find('a.org', idOf(uri), patience);
    assert.equal(await text(await media.read(found.contentId, undefined)), 'same');
  }
});

onBothEngines(
  'media: what a crash leaves between file and row is swept away, and nothing else',
  async (db, context) => {
    const { media, store, folder } = await open(db, context);
    const kept = idOf(await media.upload(user, uploadOf('kept')));
    const orphans: string[] = [];
    for (const content of ['old', 'young']) {
      const writer = await store.create();
      await writer.write(Buffer.from(content));
      await writer.finish();
      orphans.push(writer.contentId);
    }
    const [old = '', young = ''] = orphans;
    for (const name of namesIn(folder)) {
      if (!name.includes(young)) utimesSync(join(folder, name), 0, (Date.now() - 2 * hour) / 1000);
    }
    assert.equal(await sweepOrphans({ db, store, now: Date.now }, new AbortController().signal), 1);
    assert.equal(
      namesIn(folder).some((name) => name.includes(old)),
      false,
    );
    assert.equal(await text(await store.read(young, undefined)), 'young');
    const { contentId } = await media.find('a.org', kept, patience);
    assert.equal(await text(await store.read(contentId, undefined)), 'kept');
  },
);

onBothEngines('media: the sweep happens by itself, soon and then every day', async (db, context) => {
  const planned: { milliseconds: number; callback: () => void }[] = [];
  const listed = Promise.withResolvers<void>();
  const folder = makeFolder(context);
  const files = await openFileStore({ folder, sync: false, randomBytes });
  const store: ContentStore = {
    ...files,
    list() {
      listed.resolve();
      return files.list();
    },
  };
  const after = (milliseconds: number, callback: () => void) => {
    planned.push({ milliseconds, callback });
    return () => undefined;
  };
  const { media } = await open(db, context, { store, after });
  planned[0]?.callback();
  await listed.promise;
  while (planned.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    planned.map(({ milliseconds }) => milliseconds),
    [30_000, 24 * hour],
  );
  await media.close();
});

onBothEngines('media: a file whose row cannot be written goes again', async (db, context) => {
  const { media, folder } = await open(db, context);
  const place = idOf((await media.announce(user)).contentUri);
  async function* slow() {
    yield Buffer.from('late');
    // In the meantime another request fills the place.
    await media.uploadTo(user, 'a.org', place, uploadOf('first'));
  }
  const late = media.uploadTo(user, 'a.org', place, { ...uploadOf(), read: readChunks(slow()) });
  await assert.rejects(late, { guard: 'media.already-uploaded' });
  assert.equal(namesIn(folder).length, 1);
  const { contentId } = await media.find('a.org', place, patience);
  assert.equal(await text(await media.read(contentId, undefined)), 'first');
});

onBothEngines('media: of other servers are whatever federation finds', async (db, context) => {
  const remote = { contentId: 'c', contentType: 'text/plain', name: undefined, size: 1 };
  const { media } = await open(db, context, {
    findRemoteMedia: async ({ origin }) => (origin === 'b.org' ? remote : undefined),
  });
  assert.equal(await media.find('b.org', 'id', patience), remote);
  for (const [origin, id] of [
    ['c.org', 'id'],
    ['b.org', '../id'],
    ['b.org/..', 'id'],
  ] as const) {
    await assert.rejects(media.find(origin, id, patience), { reason: 'media.not-found' });
  }
  await assert.rejects(media.find('b.org', 'id', { ...patience, allowRemote: false }), { reason: 'media.not-found' });
});

test('files: unfinished ones are forgotten at the start, and IDs that are none are refused', async (context) => {
  const folder = makeFolder(context);
  const store = await openFileStore({ folder, sync: true, randomBytes });
  const writer = await store.create();
  writeFileSync(join(folder, 'unfinished', 'left'), 'over');
  await store.clearUnfinished();
  assert.deepEqual(readdirSync(join(folder, 'unfinished')), []);
  await writer.abort();
  await assert.rejects(async () => store.read('../../etc/passwd', undefined), /Not the ID/);
  await assert.rejects(store.read('0'.repeat(32), undefined), { reason: 'media.not-found' });
});

test('files: folders that go while the server runs are made again', async (context) => {
  const folder = makeFolder(context);
  const store = await openFileStore({ folder, sync: true, randomBytes });
  const first = await store.create();
  await first.finish();
  for (const name of shelvesIn(folder)) rmSync(join(folder, name), { recursive: true });
  const writer = await store.create();
  await writer.write(Buffer.from('tea'));
  await writer.finish();
  assert.equal(await text(await store.read(writer.contentId, undefined)), 'tea');
  await assert.rejects(store.read(first.contentId, undefined), { reason: 'media.not-found' });
});

test('files: what keeps a folder from being made fails the uploads of that moment, and none after it', async (context) => {
  const folder = makeFolder(context);
  const store = await openFileStore({ folder, sync: true, randomBytes });
  const elsewhere = `${folder}-elsewhere`;
  renameSync(folder, elsewhere);
  const both = await Promise.allSettled([store.create(), store.create()]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  renameSync(elsewhere, folder);
  const writers = await Promise.all([store.create(), store.create()]);
  for (const writer of writers) await writer.finish();
  assert.equal(namesIn(folder).length, 2);
});

test('files: large ones are whole, whatever they come in', async (context) => {
  const folder = makeFolder(context);
  const store = await openFileStore({ folder, sync: false, randomBytes });
  const writer = await store.create();
  const sent: Buffer[] = [];
  for (const size of [1, 70_000, 300_000, 0, 5, 262_144, 3]) {
    const chunk = randomBytes(size);
    sent.push(chunk);
    await writer.write(chunk);
  }
  await writer.finish();
  const all = Buffer.concat(sent);
  assert.ok(Buffer.concat(await Array.fromAsync(await store.read(writer.contentId, undefined))).equals(all));
  const part = await Array.fromAsync(await store.read(writer.contentId, { start: 69_999, end: 400_000 }));
  assert.ok(Buffer.concat(part).equals(all.subarray(69_999, 400_001)));
});

test('files: those that come one after the other lie in one folder, a few hundreds of them', async (context) => {
  const folder = makeFolder(context);
  const store = await openFileStore({ folder, sync: false, randomBytes: nextBytes() });
  const ids: string[] = [];
  for (let count = 0; count < 300; count++) {
    const writer = await store.create();
    await writer.finish();
    ids.push(writer.contentId);
  }
  assert.equal(new Set(ids).size, 300);
  const counts = shelvesIn(folder).map((shelf) => readdirSync(join(folder, shelf)).length);
  assert.deepEqual(
    counts.toSorted((a, b) => b - a),
    [256, 44],
  );
});

/** No two that follow each other begin alike. */
function nextBytes() {
  let first = 0;
  return (count: number) => {
    first = (first + 1) % 251;
    const bytes = randomBytes(count);
    bytes[0] = first;
    return bytes;
  };
}
const shelvesIn = (folder: string) => readdirSync(folder).filter((name) => name !== 'unfinished');

onBothEngines('media: who reads a file waits for nothing that is written', async (db, context) => {
  let isUploaded = false;
  const commit: Database['commit'] = async (set) => {
    assert.ok(!isUploaded, 'somebody waits for a commit');
    return db.commit(set);
  };
  const { media } = await open(Object.create(db, { commit: { value: commit } }) as Database, context);
  const id = idOf(await media.upload(user, uploadOf('a file')));
  isUploaded = true;
  const { contentId } = await media.find('a.org', id, patience);
  assert.equal(await text(await media.read(contentId, undefined)), 'a file');
});
