import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createTestWeb, startSite } from '@portico/testkit/web.ts';
import { fetchUrl } from './fetch-url.ts';
import { createOutbound } from './outbound.ts';

function open(context: TestContext, check?: (url: URL) => void) {
  const outbound = createOutbound({
    network: createTestWeb(),
    allowPrivateAddresses: false,
    trustedCaFile: undefined,
    userAgent: 'Portico/test',
  });
  context.after(() => outbound.close());
  return (url: string) =>
    fetchUrl(outbound, url, { answerLimit: 1000, timeout: 5000, purpose: 'test', ...(check && { check }) });
}

const refused = { name: 'OutboundError', failure: 'broken' };

test('nothing but HTTPS is asked where nobody says otherwise', async (context) => {
  const site = await startSite(context, { '/': (_, response) => response.end() });
  const get = open(context);
  for (const url of [`http://a.example:${site.port}/`, 'file:///etc/passwd', 'data:,x', 'a.example', '']) {
    await assert.rejects(get(url), refused, url);
  }
  assert.deepEqual(site.asked, []);
});

test('no address with a name or a password is asked, nor what is not allowed and was led to', async (context) => {
  const places = ['http://x:y@a.example', 'http://x@a.example', 'http://b.example'];
  const site = await startSite(context, {
    '/': (_, response) => response.end('here'),
    ...Object.fromEntries(
      places.map((place, index) => [
        `/${index}`,
        (_: unknown, response: { writeHead(status: number, headers: object): { end(): void } }) =>
          response.writeHead(302, { location: `${place}:${site.port}/` }).end(),
      ]),
    ),
  });
  const get = open(context, ({ hostname }) => {
    if (hostname !== 'a.example') throw Object.assign(new Error('not allowed'), refused);
  });
  for (const [index, place] of places.entries()) {
    await assert.rejects(get(`${place}:${site.port}/`), refused, place);
    await assert.rejects(get(`http://a.example:${site.port}/${index}`), refused, `a redirect to ${place}`);
  }
  assert.deepEqual(site.asked, ['/0', '/1', '/2']);
  assert.equal((await get(`http://a.example:${site.port}/`)).status, 200);
});
