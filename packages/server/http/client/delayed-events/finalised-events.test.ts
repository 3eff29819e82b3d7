import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import type { TestClient, TestResponse } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';
const stable = '/_matrix/client/v1/delayed_events';
const unstable = '/_matrix/client/unstable/org.matrix.msc4140';
const type = 'org.example.test';
const outcome = ({ status, body }: TestResponse) => [status, body['errcode']];
type Finalised = { finalised_ts: number; event_id?: string; error?: { errcode: string; error: string } };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`delayed events by their own endpoint (${engine})`, () => {
    const server = serverOfSuite({ engine });
    async function start() {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      const override = { events: { [type]: 0 } };
      const options = { preset: 'public_chat', power_level_content_override: override };
      const roomId = String((await alice.post(`${v3}/createRoom`, options)).body['room_id']);
      await bob.post(`${v3}/join/${encodeURIComponent(roomId)}`, {});
      return { alice, bob, roomId, room: encodeURIComponent(roomId) };
    }
    const schedule = (who: TestClient, room: string, txnId: string, body: object, prefix = v3) =>
      who.put(`${prefix}/rooms/${room}/delayed_event/${type}/${txnId}`, body);
    const scheduled = async (who: TestClient, room: string, txnId: string, more: object = {}) => {
      const response = await schedule(who, room, txnId, { delay_ms: 600_000, content: { n: txnId }, ...more });
      assert.equal(response.status, 200, JSON.stringify(response.body));
      return String(response.body['delay_id']);
    };
    const act = (who: TestClient, id: string, action: string) => who.post(`${stable}/${id}/${action}`, {});
    const actById = (who: TestClient, id: string, action: string) =>
      who.post(`${unstable}/delayed_events/${id}/${action}`, {});
    const get = (who: TestClient, id: string) => who.get(`${stable}/${id}`);
    const finalised = async (who: TestClient, id: string) => (await get(who, id)).body['finalised'] as Finalised;
    const untilFinalised = async (who: TestClient, id: string) => {
      for (;;) {
        const found = await finalised(who, id);
        if ((found as Finalised | undefined) !== undefined) return found;
      }
    };

    test('are left with the server once for a transaction, as messages or state, under both paths', async () => {
      const { alice, bob, roomId, room } = await start();
      const body = { delay_ms: 600_000, content: { a: 1 } };
      const first = await schedule(alice, room, '1', body);
      assert.deepEqual(Object.keys(first.body), ['delay_id']);
      assert.deepEqual((await schedule(alice, room, '1', body)).body, first.body);
      const second = await schedule(alice, room, '2', { ...body, state_key: 'k' }, unstable);
      assert.notEqual(second.body['delay_id'], first.body['delay_id']);
      const [one, two] = [String(first.body['delay_id']), String(second.body['delay_id'])];
      for (const prefix of [stable, `${unstable}/delayed_events`]) {
        const { delayed_since_ts: since, ...shown } = (await alice.get(`${prefix}/${two}`)).body;
        assert.ok(Math.abs(Number(since) - Date.now()) < 600_000);
        const same = { delay_id: two, room_id: roomId, type, delay_ms: 600_000, content: { a: 1 } };
        assert.deepEqual(shown, { ...same, state_key: 'k' });
        assert.deepEqual(outcome(await bob.get(`${prefix}/${two}`)), [404, 'M_NOT_FOUND']);
      }
      const { delayed_events: listed } = (await alice.get(`${unstable}/delayed_events`)).body as {
        delayed_events: { delay_id: string; delay: number; delay_ms: number }[];
      };
      assert.deepEqual(
        listed.map(({ delay_id: id, delay, delay_ms: ms }) => [id, delay, ms]),
        [
          [one, 600_000, 600_000],
          [two, 600_000, 600_000],
        ],
      );
      const { body: capabilities } = await alice.get(`${v3}/capabilities`);
      for (const name of ['m.delayed_events', 'org.matrix.msc4140.delayed_events']) {
        const { [name]: limits } = capabilities['capabilities'] as { [name: string]: unknown };
        assert.deepEqual(limits, { max_delay_ms: 86_400_000, max_scheduled: 100 });
      }
    });

    test('are refused where the request says too little, or too much', async () => {
      const { alice, bob, room } = await start();
      const content = { a: 1 };
      const refusals: [object, string, number, string][] = [
        [{ delay_ms: 0, content }, v3, 400, 'M_BAD_JSON'],
        [{ delay_ms: 1.5, content }, v3, 400, 'M_BAD_JSON'],
        [{ delay_ms: 10 }, v3, 400, 'M_MISSING_PARAM'],
        [{ content }, v3, 400, 'M_MISSING_PARAM'],
        [{ delay_ms: 10, content: { a: 1.5 } }, v3, 400, 'M_BAD_JSON'],
        [{ delay_ms: 10, content, state_key: 1 }, v3, 400, 'M_BAD_JSON'],
        [{ delay_ms: 86_400_001, content }, v3, 400, 'M_DELAY_TOO_LARGE'],
        [{ delay_ms: 86_400_001, content }, unstable, 400, 'ORG.MATRIX.MSC4140_DELAY_TOO_LARGE'],
      ];
      for (const [body, prefix, ...expected] of refusals) {
        assert.deepEqual(outcome(await schedule(alice, room, 'x', body, prefix)), expected, JSON.stringify(body));
      }
      await bob.post(`${v3}/rooms/${room}/leave`, {});
      assert.deepEqual(outcome(await schedule(bob, room, 'x', { delay_ms: 10, content })), [403, 'M_FORBIDDEN']);
    });

    test('say what has become of them, and the event says which it was to its sender', async () => {
      const { alice, bob, room } = await start();
      const later = await scheduled(alice, room, 'later', { delay_ms: 1 });
      const now = await scheduled(alice, room, 'now', { state_key: 'k' });
      assert.equal((await act(alice, now, 'send')).status, 200);
      const login = {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: alice.userId },
        password: 'a password',
      };
      const { body } = await server.anonymous.post(`${v3}/login`, login);
      const other = server.as({
        userId: alice.userId,
        accessToken: String(body['access_token']),
        deviceId: String(body['device_id']),
      });
      for (const id of [later, now]) {
        const { finalised_ts: at, event_id: eventId = '', ...rest } = await untilFinalised(alice, id);
        assert.ok(Math.abs(at - Date.now()) < 600_000);
        assert.deepEqual(rest, {});
        const path = `${v3}/rooms/${room}/event/${encodeURIComponent(eventId)}`;
        for (const [who, seen] of [
          [alice, id],
          [other, id],
          [bob, undefined],
        ] as const) {
          const unsigned = (await who.get(path)).body['unsigned'] as { [name: string]: unknown };
          assert.equal(unsigned['delay_id'], seen);
          assert.equal(unsigned['org.matrix.msc4140.delay_id'], seen);
          assert.equal(unsigned['transaction_id'], undefined);
        }
        const { rooms } = (await bob.get(`${v3}/sync?timeout=0`)).body;
        assert.ok(!JSON.stringify(rooms).includes(id));
      }
      // Who repeats it has not heard the answer.
      assert.equal(await scheduled(alice, room, 'now', { state_key: 'k' }), now);
    });

    test('that could not be sent say why', async () => {
      const { alice, bob, room } = await start();
      const id = await scheduled(bob, room, 'refused', { delay_ms: 1000 });
      await bob.post(`${v3}/rooms/${room}/leave`, {});
      // Asked for before its time, it goes on waiting for that.
      assert.deepEqual(outcome(await act(bob, id, 'send')), [403, 'M_FORBIDDEN']);
      const { error, event_id: eventId } = await untilFinalised(bob, id);
      assert.deepEqual([error?.errcode, typeof error?.error, eventId], ['M_FORBIDDEN', 'string', undefined]);
      assert.deepEqual(outcome(await act(bob, id, 'send')), [409, 'M_UNKNOWN']);
      assert.equal((await act(bob, id, 'cancel')).status, 200);

      const waiting = await scheduled(bob, await start().then((other) => join(bob, other.room)), 'waits');
      assert.equal((await get(bob, waiting)).body['finalised'], undefined);
      assert.deepEqual(outcome(await get(alice, id)), [404, 'M_NOT_FOUND']);
    });
    const join = async (who: TestClient, room: string) => {
      await who.post(`${v3}/join/${room}`, {});
      return room;
    };

    test('a refused request to send leaves it waiting, until it can be sent', async () => {
      const { bob, room } = await start();
      const id = await scheduled(bob, room, 'again');
      await bob.post(`${v3}/rooms/${room}/leave`, {});
      assert.deepEqual(outcome(await act(bob, id, 'send')), [403, 'M_FORBIDDEN']);
      assert.equal((await get(bob, id)).body['finalised'], undefined);
      await join(bob, room);
      assert.equal((await act(bob, id, 'send')).status, 200);
      assert.equal(typeof (await finalised(bob, id)).event_id, 'string');
    });

    test('what agrees with how they ended may be repeated, and what does not is told', async () => {
      const { alice, bob, room } = await start();
      const [sent, cancelled] = [await scheduled(alice, room, 's'), await scheduled(alice, room, 'c')];
      for (const action of ['send', 'cancel', 'restart']) {
        assert.deepEqual(outcome(await act(bob, sent, action)), [404, 'M_NOT_FOUND'], action);
        assert.deepEqual(outcome(await server.anonymous.post(`${stable}/${sent}/${action}`, {})), [
          401,
          'M_MISSING_TOKEN',
        ]);
      }
      assert.equal((await get(alice, sent)).body['finalised'], undefined);
      assert.equal((await act(alice, sent, 'restart')).status, 200);
      for (const _ of [1, 2]) {
        assert.equal((await act(alice, sent, 'send')).status, 200);
        assert.equal((await act(alice, cancelled, 'cancel')).status, 200);
      }
      const { finalised_ts: at, ...rest } = await finalised(alice, cancelled);
      assert.deepEqual([typeof at, rest], ['number', {}]);
      const agree = new Set([`${sent} send`, `${cancelled} cancel`]);
      for (const id of [sent, cancelled]) {
        for (const action of ['send', 'cancel', 'restart']) {
          const isAgreed = agree.has(`${id} ${action}`);
          assert.deepEqual(outcome(await act(alice, id, action)), isAgreed ? [200, undefined] : [409, 'M_UNKNOWN']);
          // As clients in use know it, and whoever has the ID alone.
          for (const who of [alice, server.anonymous]) {
            const expected = isAgreed ? [200, undefined] : [404, 'M_NOT_FOUND'];
            assert.deepEqual(outcome(await actById(who, id, action)), expected);
          }
        }
      }
      assert.deepEqual(outcome(await act(alice, sent, 'oops')), [404, 'M_UNRECOGNIZED']);
      assert.deepEqual(outcome(await act(alice, 'none', 'send')), [404, 'M_NOT_FOUND']);
    });

    test('go with the account', async () => {
      const { alice, room } = await start();
      const [waiting, cancelled] = [await scheduled(alice, room, 'w'), await scheduled(alice, room, 'c')];
      await act(alice, cancelled, 'cancel');
      const auth = {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: alice.userId },
        password: 'a password',
      };
      assert.equal((await alice.post(`${v3}/account/deactivate`, { auth })).status, 200);
      for (const id of [waiting, cancelled]) {
        assert.deepEqual(outcome(await actById(server.anonymous, id, 'cancel')), [404, 'M_NOT_FOUND']);
      }
    });
  });
}
