import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const path = '/_matrix/client/unstable/org.matrix.msc4140/delayed_events';
const type = 'org.example.test';
const outcome = ({ status, body }: TestResponse) => [status, body['errcode']];
type Listed = { delay_id: string; room_id: string; type: string; state_key?: string; delay: number; content: object };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`delayed events (${engine})`, async () => {
    let server = await startTestServer({ engine });
    after(() => server.close());
    const [alice, bob] = [await server.registerUser(), await server.registerUser()];
    const override = { events: { [type]: 0 } };
    const options = { preset: 'public_chat', power_level_content_override: override };
    const room = encodeURIComponent(String((await alice.post(`${v3}/createRoom`, options)).body['room_id']));
    await bob.post(`${v3}/join/${room}`, {});

    const sendLater = (who: TestClient, txnId: string, delay: number, content?: object) =>
      who.put(`${v3}/rooms/${room}/send/${type}/${txnId}?org.matrix.msc4140.delay=${delay}`, content);
    const setLater = async (who: TestClient, key: string, delay: number, content: object) =>
      String(
        (await who.put(`${v3}/rooms/${room}/state/${type}/${key}?org.matrix.msc4140.delay=${delay}`, content)).body[
          'delay_id'
        ],
      );
    const listed = async (who: TestClient) => (await who.get(path)).body['delayed_events'] as Listed[];
    const state = async (key: string) => (await alice.get(`${v3}/rooms/${room}/state/${type}/${key}`)).body;
    const update = (id: string, action: string) => server.anonymous.post(`${path}/${id}/${action}`, {});
    async function until(isSo: () => Promise<boolean>): Promise<void> {
      const since = String((await alice.get(`${v3}/sync?timeout=0`)).body['next_batch']);
      for (let next = since; !(await isSo());) {
        next = String((await alice.get(`${v3}/sync?timeout=1000&since=${next}`)).body['next_batch']);
      }
    }

    test('are sent in their time, in the order of it, once for a transaction', async () => {
      const first = await sendLater(alice, '1', 2000, { n: 1 });
      const second = await sendLater(alice, '2', 2100, { n: 2 });
      assert.equal(typeof first.body['delay_id'], 'string');
      assert.equal((await sendLater(alice, '1', 2000)).body['delay_id'], first.body['delay_id']);
      assert.deepEqual(outcome(await sendLater(alice, '3', 2000)), [400, 'M_NOT_JSON']);
      assert.notEqual(first.body['delay_id'], second.body['delay_id']);
      await until(async () => (await listed(alice)).length === 0);
      const { chunk } = (await alice.get(`${v3}/rooms/${room}/messages?dir=b&limit=2`)).body as {
        chunk: { content: object }[];
      };
      assert.deepEqual(
        chunk.map(({ content }) => content),
        [{ n: 2 }, { n: 1 }],
      );
      // Who repeats it after that has not heard the answer to the first time.
      for (const content of [{ n: 1 }, undefined]) {
        assert.equal((await sendLater(alice, '1', 2000, content)).body['delay_id'], first.body['delay_id']);
      }
      assert.deepEqual(await listed(alice), []);
      const another = String((await sendLater(bob, '1', 600_000, {})).body['delay_id']);
      assert.notEqual(another, first.body['delay_id']);
      assert.equal((await update(another, 'cancel')).status, 200);
    });

    test('are refused at once, as sending them would be, where nobody could ever send them', async () => {
      const delay = 'org.matrix.msc4140.delay=600000';
      const put = (path: string, text: string, isDelayed: boolean) =>
        fetch(`${server.baseUrl}${v3}/rooms/${room}/${path}${isDelayed ? `?${delay}` : ''}`, {
          method: 'PUT',
          headers: { authorization: `Bearer ${alice.accessToken}` },
          body: text,
        });
      const impossible: [string, string][] = [
        ['send/x/f1', '{"a":1.5}'],
        ['send/x/f2', '{"a":1e400}'],
        ['send/x/f3', '{"a":9007199254740993}'],
        ['send/x/f4', '{"a":"\\ud800"}'],
        ['send/x/f5', JSON.stringify({ a: 'a'.repeat(65_500) })],
        [`send/${'x'.repeat(256)}/f6`, '{}'],
        ['send/m.room.redaction/f7', '{}'],
        ['state/m.room.create/', '{}'],
        ['state/m.room.member/nobody', '{"membership":"leave"}'],
        ['state/m.room.topic/', '{"topic":1.5}'],
      ];
      const before = await listed(alice);
      for (const [path, text] of impossible) {
        const [sent, delayed] = await Promise.all([put(path, text, false), put(path, text, true)]);
        assert.ok(sent.status >= 400, path);
        assert.deepEqual([delayed.status, await delayed.json()], [sent.status, await sent.json()], path);
      }
      assert.deepEqual(await listed(alice), before);
    });

    test('are shown to who left them, and wait until somebody says otherwise', async () => {
      const id = await setLater(alice, 'waiting', 60_000, { a: 1 });
      const [one] = await listed(alice);
      assert.deepEqual(
        [one?.delay_id, one?.type, one?.state_key, one?.delay, one?.content],
        [id, type, 'waiting', 60_000, { a: 1 }],
      );
      assert.deepEqual(await listed(bob), []);
      assert.equal((await state('waiting'))['errcode'], 'M_NOT_FOUND');
      assert.equal((await update(id, 'restart')).status, 200);
      assert.equal((await update(id, 'send')).status, 200);
      assert.deepEqual(await state('waiting'), { a: 1 });
      assert.deepEqual(await listed(alice), []);
      assert.deepEqual(outcome(await update(id, 'restart')), [404, 'M_NOT_FOUND']);
    });

    test('are not sent once they are cancelled, or once somebody else has changed the same state', async () => {
      const cancelled = await setLater(alice, 'cancelled', 2000, {});
      await setLater(alice, 'overtaken', 2000, { by: 'alice' });
      await bob.put(`${v3}/rooms/${room}/state/${type}/overtaken`, { by: 'bob' });
      assert.equal((await server.anonymous.post(`${path}/${cancelled}`, { action: 'cancel' })).status, 200);
      await setLater(alice, 'last', 2100, {});
      await until(async () => (await listed(alice)).length === 0);
      assert.equal((await state('cancelled'))['errcode'], 'M_NOT_FOUND');
      assert.deepEqual(await state('overtaken'), { by: 'bob' });
      assert.deepEqual(await state('last'), {});
    });

    test('a restart of the delay puts them off', async () => {
      const id = await setLater(alice, 'restarted', 60_000, { a: 1 });
      const before = (await listed(alice))[0] as Listed & { running_since: number };
      assert.equal((await update(id, 'restart')).status, 200);
      const later = (await listed(alice))[0] as Listed & { running_since: number };
      assert.ok(later.running_since >= before.running_since);
      await update(id, 'cancel');
    });

    test('outlive the server', async () => {
      await setLater(alice, 'outlives', 50, { a: 1 });
      const { dataDir, databaseUrl } = server;
      await server.stop();
      server = await startTestServer({ engine, dataDir, databaseUrl });
      const again = server.as(alice);
      for (;;) {
        const { status } = await again.get(`${v3}/rooms/${room}/state/${type}/outlives`);
        if (status === 200) break;
      }
    });

    test('are bounded, and for rooms one is in', async () => {
      const carol = await server.registerUser();
      const refusals: [TestResponse, number, string][] = [
        [
          await server.as(carol).put(`${v3}/rooms/${room}/send/${type}/1?org.matrix.msc4140.delay=9`, {}),
          403,
          'M_FORBIDDEN',
        ],
        [
          await server.as(bob).put(`${v3}/rooms/${room}/send/${type}/9?org.matrix.msc4140.delay=0`, {}),
          400,
          'M_INVALID_PARAM',
        ],
        [
          await server.as(bob).put(`${v3}/rooms/${room}/send/${type}/9?org.matrix.msc4140.delay=99999999`, {}),
          400,
          'M_UNKNOWN',
        ],
        [await update('none', 'cancel'), 404, 'M_NOT_FOUND'],
        [await update('none', 'oops'), 404, 'M_UNRECOGNIZED'],
        [await server.anonymous.get(path), 401, 'M_MISSING_TOKEN'],
      ];
      for (const [response, ...expected] of refusals) assert.deepEqual(outcome(response), expected);
      const asBob = server.as(bob);
      const left = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          asBob.put(`${v3}/rooms/${room}/send/${type}/many${n}?org.matrix.msc4140.delay=600000`, {}),
        ),
      );
      assert.ok(left.every(({ status }) => status === 200));
      const one = await asBob.put(`${v3}/rooms/${room}/send/${type}/more?org.matrix.msc4140.delay=600000`, {});
      assert.equal(one.body['org.matrix.msc4140.errcode'], 'M_MAX_DELAYED_EVENTS_EXCEEDED');
      assert.deepEqual(outcome(one), [429, 'M_LIMIT_EXCEEDED']);
      const wait = Number(one.headers.get('retry-after'));
      assert.ok(wait > 500 && wait <= 600, String(wait));
    });
  });
}
