import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createWriteSet, type Database } from '@portico/storage';
import { addMedia } from '@portico/storage/stores/media/media.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { openFileStore } from '../file-store.ts';
import { receiveBytes } from '../receive.ts';
import type { StoredMedia } from '../stored-media.ts';
import type { Rendered } from './render.ts';
import { createThumbnailer } from './thumbnailer.ts';

async function open(db: Database, context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-media-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = await openFileStore({ folder, sync: false, randomBytes });
  let renders = 0;
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<Rendered>();
  const render = async () => {
    renders += 1;
    begun.resolve();
    return gate.promise;
  };
  const thumbnailer = createThumbnailer({ db, store, render, concurrency: 1, mostWaiting: 1 });
  async function add(mediaId: string): Promise<StoredMedia> {
    const media = { ...(await receiveBytes(store, Buffer.from(mediaId))), contentType: 'image/png', name: undefined };
    const set = createWriteSet();
    addMedia(set, { origin: 'a.org', mediaId }, undefined, media, 0);
    await db.commit(set);
    return media;
  }
  return { thumbnailer, add, begun: begun.promise, gate, renders: () => renders };
}

const wanted = { width: 32, height: 32, method: 'crop', animated: false } as const;

onBothEngines('thumbnails: one at a time, a few wait, the rest is told to come back', async (db, context) => {
  const { thumbnailer, add, begun, gate, renders } = await open(db, context);
  const images = [await add('1'), await add('2'), await add('3')] as const;
  const first = thumbnailer.get(images[0], wanted);
  await begun;
  const again = thumbnailer.get(images[0], wanted);
  // Of two more, one waits and the other is refused, whichever comes first.
  const others = [thumbnailer.get(images[1], wanted), thumbnailer.get(images[2], wanted)];
  await assert.rejects(Promise.race(others), { reason: 'server.overloaded' });
  gate.resolve({ kind: 'image', contentType: 'image/png', bytes: Buffer.from('small') });
  assert.deepEqual(await first, await again);
  const settled = await Promise.allSettled(others);
  assert.deepEqual(settled.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  assert.equal(renders(), 2);
});

onBothEngines('thumbnails: what fails is not tried again', async (db, context) => {
  const { thumbnailer, add, begun, gate, renders } = await open(db, context);
  const media = await add('1');
  void begun.then(() => gate.reject(new MatrixError('media.no-thumbnail')));
  for (const width of [32, 96, 320]) {
    await assert.rejects(thumbnailer.get(media, { ...wanted, width }), { reason: 'media.no-thumbnail' });
  }
  assert.equal(renders(), 1);
});

onBothEngines('thumbnails: what has too many bytes is not even read', async (db, context) => {
  const { thumbnailer, add, renders } = await open(db, context);
  const large = { ...(await add('1')), size: 33 * 1024 * 1024 };
  await assert.rejects(thumbnailer.get(large, wanted), { reason: 'media.too-large-to-thumbnail' });
  assert.equal(renders(), 0);
});
