import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { test } from 'node:test';
import { parseServerName } from '@portico/protocol';
import { findMedia, findUsedContents } from '@portico/storage/stores/media/media.ts';
import { onBothEngines, openFor, temporarySqlite } from '@portico/testkit/both-engines.ts';
import { openPreviews } from '@portico/testkit/previews.ts';
import { startSite } from '@portico/testkit/web.ts';
import sharp from 'sharp';
import type { After } from '../sync/waiting.ts';
import { createThumbnailer } from '../media/thumbnails/thumbnailer.ts';
import { removeFiles } from '../media/remove-media.ts';
import { contentOf } from '../media/stored-media.ts';
import { startPreviewSweep } from './sweep-previews.ts';

const page =
  (text: string): RequestListener =>
  (_, response) =>
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(text);
const image = await sharp({ create: { width: 400, height: 300, channels: 3, background: 'green' } })
  .jpeg()
  .toBuffer();
const asJpeg: RequestListener = (_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(image);
const minute = 60_000;
const origin = parseServerName('here.example') ?? '';

onBothEngines('previews: a page is looked at once an hour, its image is stored', async (db, context) => {
  const site = await startSite(context, {
    '/': page('<title>It</title><meta property="og:image" content="i.jpg">'),
    '/i.jpg': asJpeg,
  });
  let now = 1_000_000_000;
  const { find, store, grown } = await openPreviews(db, context, { now: () => now });
  const url = `http://a.example:${site.port}/`;
  const [first, second] = await Promise.all([find(url), find(`${url}#part`)]);
  const uri = String(first['og:image']);
  assert.match(uri, /^mxc:\/\/here\.example\/[A-Za-z0-9_-]{24}$/);
  assert.deepEqual(first, {
    'og:title': 'It',
    'og:image': uri,
    'og:image:type': 'image/jpeg',
    'og:image:width': 400,
    'og:image:height': 300,
    'matrix:image:size': image.length,
  });
  assert.deepEqual(second, first);
  now += 59 * minute;
  assert.deepEqual(await find(url), first);
  assert.deepEqual(site.asked, ['/', '/i.jpg']);
  now += 2 * minute;
  assert.notEqual((await find(url))['og:image'], uri);
  assert.deepEqual(site.asked, ['/', '/i.jpg', '/', '/i.jpg']);
  assert.deepEqual(grown, [image.length, image.length]);
  const row = await findMedia(db, { origin, mediaId: uri.slice(uri.lastIndexOf('/') + 1) });
  assert.equal(row?.user_id, null);
  const bytes = await (await store.read(row?.content_id ?? '', undefined)).toArray();
  assert.deepEqual(Buffer.concat(bytes), image);
});

onBothEngines('previews: what is old is swept away, with thumbnails', async (db, context) => {
  const site = await startSite(context, {
    '/': page('<title>It</title><meta property="og:image" content="i.jpg">'),
    '/i.jpg': asJpeg,
  });
  let now = 1_000_000_000;
  const { find, store } = await openPreviews(db, context, { now: () => now });
  const url = `http://a.example:${site.port}/`;
  const keyOf = (uri: unknown) => ({ origin, mediaId: String(uri).slice('mxc://here.example/'.length) });
  const old = keyOf((await find(url))['og:image']);
  const row = await findMedia(db, old);
  const media = row && contentOf(row);
  assert.ok(media);
  const thumbnailer = createThumbnailer({ db, store });
  context.after(() => thumbnailer.close());
  const thumbnail = await thumbnailer.get(media, { width: 32, height: 32, method: 'crop', animated: false });
  assert.notEqual(thumbnail.contentId, media.contentId);
  now += 47 * 60 * minute;
  const young = keyOf((await find(url))['og:image']);
  now += 2 * 60 * minute;

  const timers: (() => void)[] = [];
  const after: After = (_, callback) => {
    timers.push(callback);
    swept.resolve();
    return () => undefined;
  };
  let swept = Promise.withResolvers<void>();
  const log = { info: () => undefined, error: (details: object) => assert.fail(JSON.stringify(details)) };
  const sweep = startPreviewSweep({ db, store, now: () => now, after, log });
  swept = Promise.withResolvers();
  timers.pop()?.();
  await swept.promise;
  await sweep.close();
  assert.equal(await findMedia(db, old), undefined);
  assert.notEqual(await findMedia(db, young), undefined);
  for (const contentId of [media.contentId, thumbnail.contentId]) {
    assert.equal(await store.findTime(contentId), undefined);
    assert.equal((await findUsedContents(db, [contentId])).size, 0);
  }
});

test('a page that cannot be had is asked again after some minutes', async (context) => {
  let up = false;
  const site = await startSite(context, {
    '/': (request, response) => {
      if (up) page('<title>up</title>')(request, response);
      else response.writeHead(500).end();
    },
  });
  let now = 1_000_000_000;
  const db = await openFor(context, temporarySqlite(context));
  const { find } = await openPreviews(db, context, { now: () => now });
  const url = `http://a.example:${site.port}/`;
  for (const _ of [1, 2]) await assert.rejects(find(url), { reason: 'preview.failed' });
  assert.equal(site.asked.length, 1);
  up = true;
  now += 6 * minute;
  assert.deepEqual(await find(url), { 'og:title': 'up' });
});

test('an image whose row has gone is fetched again', async (context) => {
  const site = await startSite(context, {
    '/A%20picture.jpg': (_, response) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(image),
  });
  const db = await openFor(context, temporarySqlite(context));
  const { find, store } = await openPreviews(db, context);
  const url = `http://a.example:${site.port}/A%20picture.jpg`;
  const first = await find(url);
  assert.equal(first['og:title'], 'A picture.jpg');
  const mediaId = String(first['og:image']).slice('mxc://here.example/'.length);
  await removeFiles({ db, store }, [{ origin, media_id: mediaId, content_id: null }]);
  assert.notEqual((await find(url))['og:image'], first['og:image']);
});

test('sites are asked as the settings say', async (context) => {
  const headers: Record<string, unknown>[] = [];
  const site = await startSite(context, {
    '/': (request, response) => {
      headers.push(request.headers);
      page('<title>t</title>')(request, response);
    },
  });
  const open = async (rules: { readonly allow?: readonly string[]; readonly deny?: readonly string[] }) => {
    const db = await openFor(context, temporarySqlite(context));
    const { find } = await openPreviews(db, context, { rules });
    return (host: string) => find(`http://${host}:${site.port}/`);
  };
  const refused = { reason: 'preview.host-refused' };
  const denying = await open({ deny: ['*.bad.example', 'worse.example'] });
  await assert.rejects(denying('www.BAD.example'), refused);
  await assert.rejects(denying('worse.example.'), refused);
  await denying('bad.example');
  const allowing = await open({ allow: ['*.good.example'], deny: ['not.good.example'] });
  await assert.rejects(allowing('a.example'), refused);
  await assert.rejects(allowing('not.good.example'), refused);
  await allowing('is.good.example');
  assert.equal(site.asked.length, 2);
  assert.equal(headers[0]?.['accept-language'], 'de, en;q=0.5');
  assert.equal(headers[0]?.['accept-encoding'], 'identity');
});

test('a site that is denied is not asked where another one leads to it', async (context) => {
  const site = await startSite(context, {
    '/': (_, response) => response.writeHead(301, { location: `http://bad.example:${site.port}/other` }).end(),
    '/page': page('<title>t</title><meta property="og:image" content="//bad.example/i.png">'),
  });
  const db = await openFor(context, temporarySqlite(context));
  const { find } = await openPreviews(db, context, { rules: { deny: ['bad.example'] } });
  await assert.rejects(find(`http://a.example:${site.port}/`), { reason: 'preview.host-refused' });
  assert.deepEqual(await find(`http://a.example:${site.port}/page`), { 'og:title': 't' });
  assert.deepEqual(site.asked, ['/', '/page']);
});

test('one person waits for their own pages; more than fifty that wait are refused', async (context) => {
  const gate = Promise.withResolvers<void>();
  let open = 0;
  let most = 0;
  const site = await startSite(context, {
    '/slow': (request, response) => {
      open += 1;
      most = Math.max(most, open);
      const answer = async () => {
        await gate.promise;
        open -= 1;
        page('<title>slow</title>')(request, response);
      };
      void answer();
    },
    '/fast': page('<title>fast</title>'),
  });
  const db = await openFor(context, temporarySqlite(context));
  const { previews, find } = await openPreviews(db, context);
  let refused = 0;
  const tooMany = Promise.withResolvers<void>();
  const slow = Array.from({ length: 56 }, (_, n) => find(`http://a.example:${site.port}/slow?${n}`));
  for (const asked of slow) {
    asked.catch(() => {
      refused += 1;
      if (refused === 2) tooMany.resolve();
    });
  }
  await tooMany.promise;
  const other = await previews.find('@bob:here.example', `http://a.example:${site.port}/fast`);
  assert.deepEqual(other, { 'og:title': 'fast' });
  gate.resolve();
  const settled = await Promise.allSettled(slow);
  const reasons = settled.flatMap((one) =>
    one.status === 'rejected' ? [(one.reason as { reason: string }).reason] : [],
  );
  assert.deepEqual(reasons, ['preview.too-many', 'preview.too-many']);
  assert.equal(most, 4);
});
