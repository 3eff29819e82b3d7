import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { type OAuthServer, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const path = '/_matrix/client/unstable/io.element.msc4388/rendezvous';
const concurrentWrite = '409 IO_ELEMENT_MSC4388_CONCURRENT_WRITE';

test('without OAuth 2.0 there is nowhere to meet', async (context) => {
  const server = await startTestServer();
  context.after(() => server.close());
  assert.equal(refusalOf(await server.anonymous.get(path)), '404 M_UNRECOGNIZED');
  assert.equal(refusalOf(await server.anonymous.post(path, { data: '' })), '404 M_UNRECOGNIZED');
});

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`where two devices meet, with sequence tokens (${engine})`, () => {
    let oauth: OAuthServer;
    let clock = 0;
    before(async () => {
      oauth = await startOAuthServer({ engine, now: () => Date.now() + clock });
    });
    after(async () => {
      await oauth.close();
      assert.deepEqual(oauth.server.errors, []);
    });

    const anyone = () => oauth.server.anonymous;
    const open = async (data = 'hello') => {
      const { status, body } = await anyone().post(path, { data });
      assert.equal(status, 200);
      return { id: String(body['id']), token: String(body['sequence_token']), left: Number(body['expires_in_ms']) };
    };
    const read = (id: string) => anyone().get(`${path}/${id}`);
    const write = (id: string, token: string, data: string) =>
      anyone().put(`${path}/${id}`, { sequence_token: token, data });

    test('anybody may open one, for five minutes', async () => {
      const { status, body } = await anyone().get(path);
      assert.deepEqual([status, body], [200, { create_available: true }]);
      const { id, token, left } = await open();
      // https://spec.matrix.org/v1.19/appendices/#opaque-identifiers
      for (const opaque of [id, token]) assert.match(opaque, /^[\w.~-]{16,255}$/);
      assert.ok(left > 290_000 && left <= 300_000, String(left));
    });

    test('a message is there until another one takes its place, which only its reader may leave', async () => {
      const { id, token } = await open('first');
      const first = await read(id);
      assert.deepEqual([first.body['data'], first.body['sequence_token']], ['first', token]);
      const written = await write(id, token, 'second');
      assert.equal(written.status, 200);
      const next = String(written.body['sequence_token']);
      assert.notEqual(next, token);
      const second = await read(id);
      assert.deepEqual([second.body['data'], second.body['sequence_token']], ['second', next]);
      assert.equal(refusalOf(await write(id, token, 'third')), concurrentWrite);
      assert.deepEqual((await read(id)).body['data'], 'second');
    });

    test('no cache keeps what is said there', async () => {
      const opened = await anyone().post(path, { data: 'first' });
      const id = String(opened.body['id']);
      const answers = [opened, await read(id), await write(id, String(opened.body['sequence_token']), 'second')];
      for (const { status, headers } of answers) {
        assert.deepEqual([status, headers.get('cache-control')], [200, 'no-store']);
      }
    });

    test('the same again is a success without a change, and with the token that is due another message', async () => {
      const { id, token } = await open('first');
      const { body } = await write(id, token, 'second');
      const again = await write(id, token, 'second');
      assert.deepEqual([again.status, again.body], [200, body]);
      const due = await write(id, String(body['sequence_token']), 'second');
      assert.notEqual(due.body['sequence_token'], body['sequence_token']);
    });

    test('of two who write at once, one is told that the other was faster', async () => {
      const { id, token } = await open();
      const both = await Promise.all([write(id, token, 'one'), write(id, token, 'two')]);
      assert.equal(both.filter(({ status }) => status === 200).length, 1);
      assert.deepEqual(both.filter(({ status }) => status !== 200).map(refusalOf), [concurrentWrite]);
    });

    test('messages have 4096 bytes at most, and are text', async () => {
      const { id, token } = await open('ä'.repeat(2048));
      const tooLong = `${'ä'.repeat(2048)}x`;
      assert.equal(refusalOf(await anyone().post(path, { data: tooLong })), '413 M_TOO_LARGE');
      assert.equal(refusalOf(await write(id, token, tooLong)), '413 M_TOO_LARGE');
      for (const data of ['a\0b', '\ud800']) {
        assert.match(refusalOf(await anyone().post(path, { data })), /^400 M_/);
        assert.match(refusalOf(await write(id, token, data)), /^400 M_/);
      }
      assert.equal(refusalOf(await anyone().post(path, {})), '400 M_MISSING_PARAM');
      assert.equal(refusalOf(await anyone().put(`${path}/${id}`, { data: 'x' })), '400 M_MISSING_PARAM');
      assert.equal((await write(id, token, '\ufeffÄ \u{1f600}')).status, 200);
      assert.equal((await read(id)).body['data'], '\ufeffÄ \u{1f600}');
    });

    test('it is not shown where a browser was led to it', async () => {
      const { id } = await open('<b>You have won</b>');
      const statusWith = (headers: Record<string, string>) =>
        new Promise<number | undefined>((resolve, reject) => {
          const request = get(`${oauth.base}${path}/${id}`, { headers }, (response) => {
            response.resume();
            resolve(response.statusCode);
          });
          request.on('error', reject);
        });
      assert.equal(await statusWith({}), 200);
      assert.equal(await statusWith({ 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }), 200);
      assert.equal(await statusWith({ 'sec-fetch-mode': 'navigate' }), 403);
      assert.equal(await statusWith({ 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'iframe' }), 403);
    });

    test('it is over when somebody says so, and five minutes after it began, whatever was said meanwhile', async () => {
      const { id } = await open();
      const closed = await anyone().delete(`${path}/${id}`);
      assert.deepEqual([closed.status, closed.body], [200, {}]);
      assert.equal(refusalOf(await read(id)), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await anyone().delete(`${path}/${id}`)), '404 M_NOT_FOUND');
      const late = await open();
      clock += 299_000;
      const { status, body } = await write(late.id, late.token, 'x');
      assert.equal(status, 200);
      const { body: left } = await read(late.id);
      assert.ok(Number(left['expires_in_ms']) <= 1000, String(left['expires_in_ms']));
      clock += 1000;
      assert.equal(refusalOf(await read(late.id)), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await write(late.id, String(body['sequence_token']), 'x')), '404 M_NOT_FOUND');
    });
  });
}
