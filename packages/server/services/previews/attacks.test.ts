import assert from 'node:assert/strict';
import type { RequestListener, ServerResponse } from 'node:http';
import { suite, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openFor, temporarySqlite } from '@portico/testkit/both-engines.ts';
import { openPreviews } from '@portico/testkit/previews.ts';
import { createTestWeb, startSite } from '@portico/testkit/web.ts';
import sharp from 'sharp';

const html =
  (text: string): RequestListener =>
  (_, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end(text);

const redirect =
  (location: string): RequestListener =>
  (_, response) =>
    response.writeHead(302, { location }).end();

async function open(context: TestContext, options: Parameters<typeof openPreviews>[2] = {}) {
  return openPreviews(await openFor(context, temporarySqlite(context)), context, options);
}

const secrets = { '/secret': html('<title>secret</title>'), '/secret.png': html('secret') };
const refused = (reason: string) => ({ name: 'MatrixError', reason });

suite('a private address is not asked', () => {
  test('by its number or name', async (context) => {
    const inside = await startSite(context, secrets);
    const { find } = await open(context);
    for (const host of ['127.0.0.1', '127.1', '2130706433', '0x7f000001', '[::1]', '[::ffff:127.0.0.1]', 'localhost']) {
      await assert.rejects(find(`http://${host}:${inside.port}/secret`), refused('preview.failed'), host);
    }
    assert.deepEqual(inside.asked, []);
  });

  test('because a page leads there', async (context) => {
    const inside = await startSite(context, secrets);
    const there = `http://127.0.0.1:${inside.port}/secret`;
    const site = await startSite(context, {
      '/1': redirect(there),
      '/2': redirect(`//localhost:${inside.port}/secret`),
      '/3': redirect('/1'),
      '/4': redirect('http://169.254.169.254:8080/latest/meta-data'),
    });
    const { find } = await open(context);
    for (const path of ['1', '2', '3', '4']) {
      await assert.rejects(find(`http://a.example:${site.port}/${path}`), refused('preview.failed'), path);
    }
    assert.equal(site.asked.length, 5);
    assert.deepEqual(inside.asked, []);
  });

  test('because it has become the address of a name that was public before', async (context) => {
    const site = await startSite(context, {
      '/': (_, response) => redirect(`http://b.example:${site.port}/secret`)(_, response),
      '/page': html('<title>t</title><meta property="og:image" content="/secret.png">'),
      ...secrets,
    });
    const network = createTestWeb({
      'b.example': ['127.0.0.1'],
      'c.example': ['1.1.1.1', '127.0.0.1'],
    });
    const { find } = await open(context, { network });
    await assert.rejects(find(`http://b.example:${site.port}/secret`), refused('preview.failed'));
    assert.deepEqual(site.asked, []);
    assert.deepEqual(await find(`http://c.example:${site.port}/page`), { 'og:title': 't' });
    assert.deepEqual(site.asked, ['/page']);
  });

  test('for the image of a page', async (context) => {
    const inside = await startSite(context, secrets);
    const image = `http://127.0.0.1:${inside.port}/secret.png`;
    const site = await startSite(context, {
      '/': html(`<title>t</title><meta property="og:image" content="${image}">`),
    });
    const { find } = await open(context);
    assert.deepEqual(await find(`http://a.example:${site.port}/`), { 'og:title': 't' });
    assert.deepEqual(inside.asked, []);
  });
});

test('only pages of the web have previews', async (context) => {
  const { find } = await open(context);
  for (const url of [
    ['', 'a.example', '/x', '//a.example/', 'http://', 'file:///etc/passwd', 'data:text/html,<title>t</title>'],
    ['javascript:alert(1)', 'ftp://a.example/', 'gopher://a.example:70/', 'http://user:password@a.example/'],
    ['http://a.example:22/', 'https://a.example:25/', `http://a.example/${'x'.repeat(3000)}`],
  ].flat()) {
    await assert.rejects(find(url), refused('preview.bad-url'), url);
  }
});

suite('a page costs no more than a page:', () => {
  /** Writes as long as anybody reads, and counts. */
  function endless(counted: { bytes: number; closed: PromiseWithResolvers<void> }, headers: Record<string, string>) {
    return (_: unknown, response: ServerResponse) => {
      const chunk = Buffer.alloc(65_536, ' ');
      response.writeHead(200, { 'content-type': 'text/html', ...headers }).write('<title>long</title>');
      response.once('close', () => counted.closed.resolve());
      const more = (): void => {
        if (response.destroyed) return;
        counted.bytes += chunk.length;
        if (response.write(chunk)) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    };
  }

  for (const [what, headers] of [
    ['one of ten gigabytes', { 'content-length': '10000000000' }],
    ['one that never ends', {}],
  ] as const) {
    test(`${what} is left after its beginning`, async (context) => {
      const counted = { bytes: 0, closed: Promise.withResolvers<void>() };
      const site = await startSite(context, { '/': endless(counted, headers) });
      const { find } = await open(context);
      assert.deepEqual(await find(`http://a.example:${site.port}/`), { 'og:title': 'long' });
      await counted.closed.promise;
      assert.ok(counted.bytes < 50_000_000, `${counted.bytes} bytes`);
    });
  }

  test('one that comes a byte at a time is given up', async (context) => {
    const site = await startSite(context, {
      '/': (_, response) => {
        response.writeHead(200, { 'content-type': 'text/html' });
        const drip = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(drip));
      },
    });
    const { find } = await open(context, { timeout: 300 });
    await assert.rejects(find(`http://a.example:${site.port}/`), refused('preview.failed'));
  });

  test('one that is packed is not unpacked', async (context) => {
    const site = await startSite(context, {
      '/': (_, response) =>
        response
          .writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' })
          .end(gzipSync(`<title>t</title>${' '.repeat(10_000_000)}`)),
    });
    const { find } = await open(context);
    await assert.rejects(find(`http://a.example:${site.port}/`), refused('preview.failed'));
  });

  test('one that leads in a circle is left', async (context) => {
    const site = await startSite(context, { '/': redirect('/') });
    const { find } = await open(context);
    await assert.rejects(find(`http://a.example:${site.port}/`), refused('preview.failed'));
    assert.equal(site.asked.length, 6);
  });

  test('a huge title is cut, deep nesting is left out', async (context) => {
    const site = await startSite(context, {
      '/title': html(`<title>${'x'.repeat(1_500_000)}</title>`),
      '/deep': html(`<title>deep</title>${'<i>'.repeat(100_000)}`),
    });
    const { find } = await open(context);
    assert.equal(String((await find(`http://a.example:${site.port}/title`))['og:title']).length, 300);
    assert.deepEqual(await find(`http://a.example:${site.port}/deep`), { 'og:title': 'deep' });
  });

  test('what is no page is not read', async (context) => {
    const counted = { bytes: 0, closed: Promise.withResolvers<void>() };
    const site = await startSite(context, { '/': endless(counted, { 'content-type': 'video/mp4' }) });
    const { find } = await open(context);
    assert.deepEqual(await find(`http://a.example:${site.port}/`), {});
    await counted.closed.promise;
  });
});

/** A PNG whose head says that it is as large as that, with no pixels at all. */
async function bomb(width: number, height: number): Promise<Buffer> {
  const small = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  small.writeUInt32BE(width, 16);
  small.writeUInt32BE(height, 20);
  const { crc32 } = await import('node:zlib');
  small.writeUInt32BE(crc32(small.subarray(12, 29)), 29);
  return small;
}

test('what is no image that can be shown is none', async (context) => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100"><script>alert(1)</script></svg>';
  const large = Buffer.concat([await bomb(10, 10), Buffer.alloc(9_000_000)]);
  const bodies: Record<string, Buffer | string> = {
    svg,
    html: '<script>alert(1)</script>',
    bomb: await bomb(60_000, 60_000),
    large,
    half: (await bomb(10, 10)).subarray(0, 20),
    empty: '',
  };
  const images = Object.entries(bodies).flatMap(([name, body]): [string, RequestListener][] => [
    [`/${name}.png`, (_, response) => response.writeHead(200, { 'content-type': 'image/png' }).end(body)],
    [`/${name}`, html(`<title>t</title><meta property="og:image" content="/${name}.png">`)],
  ]);
  const site = await startSite(context, Object.fromEntries(images));
  const { find, grown } = await open(context);
  for (const name of Object.keys(bodies)) {
    assert.deepEqual(await find(`http://a.example:${site.port}/${name}`), { 'og:title': 't' }, name);
    assert.ok(site.asked.includes(`/${name}.png`), name);
    assert.equal((await find(`http://a.example:${site.port}/${name}.png`))['og:image'], undefined, name);
  }
  assert.deepEqual(grown, []);
  // The same head, with a size that it can have, is one.
  const small = await bomb(600, 600);
  const fine = await startSite(context, {
    '/': html('<meta property="og:image" content="/a">'),
    '/a': (_, response) => response.end(small),
  });
  assert.equal((await find(`http://a.example:${fine.port}/`))['og:image:width'], 600);
});
