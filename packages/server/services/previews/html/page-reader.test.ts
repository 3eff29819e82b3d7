import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createPageReader } from './page-reader.ts';

const log = { debug: () => undefined };
const page = (html: string) => ({
  bytes: Buffer.from(html),
  contentType: 'text/html',
  address: 'https://a.example/',
});

function open(context: TestContext, options: Partial<Parameters<typeof createPageReader>[0]> = {}) {
  const reader = createPageReader({ log, ...options });
  context.after(() => reader.close());
  return reader;
}

/** A thread that does to itself what the page says. */
const victim = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ bytes }) => {
      const page = Buffer.from(bytes).toString();
      if (page === 'hang') for (;;);
      if (page === 'throw') throw new Error('no');
      if (page === 'exit') process.exit(0);
      const all = [];
      while (page === 'eat') all.push(new Array(100000).fill(page));
      parentPort.postMessage({ properties: [['og:title', page]], image: undefined });
    });
  `)}`,
);

test('a page is read on another thread', async (context) => {
  const { properties } = await open(context).read(page('<title>yes</title>'));
  assert.deepEqual(properties, [['og:title', 'yes']]);
});

test('whatever a page does to its reader, the next one is read', async (context) => {
  const reader = open(context, { thread: victim, timeout: 1500 });
  for (const harm of ['hang', 'throw', 'exit', 'eat']) {
    const bad = reader.read(page(harm));
    const good = reader.read(page('fine'));
    await assert.rejects(bad, { reason: 'preview.failed' }, harm);
    assert.deepEqual((await good).properties, [['og:title', 'fine']], harm);
  }
});

test('a page that takes much memory is given up long before its time', async (context) => {
  const reader = open(context, { thread: victim, timeout: 300_000 });
  const before = process.memoryUsage.rss();
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss() - before)), 10);
  await assert.rejects(reader.read(page('eat')), { reason: 'preview.failed' });
  clearInterval(watch);
  assert.ok(most < 400_000_000, `${most} bytes`);
});

test('elements that are nested two hundred thousand deep are read in time', async (context) => {
  // Without a limit it takes most of a minute: each element is put in front of all that are open.
  const deep = `${'<div>'.repeat(200_000)}${'</div>'.repeat(200_000)}`;
  const { properties } = await open(context).read(page(`<title>deep</title>${deep}`));
  assert.deepEqual(properties, [['og:title', 'deep']]);
});

test('and so are large pages of other shapes', async (context) => {
  const megabyte = (part: string) => part.repeat(Math.ceil(1_000_000 / part.length));
  const reader = open(context);
  for (const shape of [
    ['<', '<p>', '</p>', '<a ', '<meta ', '<meta property="og:', '<meta charset', '<!--', '<?xml ', '<title>'],
    ['<svg><title>', '<form><table>', '&', '&amp;', 'x="'],
  ].flat()) {
    const { properties } = await reader.read(page(`<meta property="og:title" content="t">${megabyte(shape)}`));
    assert.equal(Object.fromEntries(properties)['og:title'], 't', shape);
  }
});
