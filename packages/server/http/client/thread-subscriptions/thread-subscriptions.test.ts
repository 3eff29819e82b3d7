import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';
import type { TestResponse } from '@portico/testkit/test-client.ts';

const outcome = ({ status, body: { errcode } }: TestResponse): string =>
  typeof errcode === 'string' ? `${status} ${errcode}` : String(status);
const extension = 'io.element.msc4308.thread_subscriptions';
const conflict = '409 IO.ELEMENT.MSC4306.M_CONFLICTING_UNSUBSCRIPTION';
const notInThread = '400 IO.ELEMENT.MSC4306.M_NOT_IN_THREAD';

type Stamped = Record<string, Record<string, { bump_stamp: number; automatic?: boolean }>>;
type Changes = { subscribed?: Stamped; unsubscribed?: Stamped; prev_batch?: string; end?: string };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`subscriptions to threads (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let transactions = 0;

    const person = async () => createSyncClient(await server.registerUser());
    async function send(by: SyncClient, roomId: string, root?: string): Promise<string> {
      const relation = root === undefined ? {} : { 'm.relates_to': { rel_type: 'm.thread', event_id: root } };
      const content = { msgtype: 'm.text', body: 'hello', ...relation };
      const { status, body } = await by.http.put(by.room(roomId, `send/m.room.message/t${++transactions}`), content);
      assert.equal(status, 200, JSON.stringify(body));
      return String(body['event_id']);
    }
    const path = (roomId: string, root: string) =>
      `/_matrix/client/unstable/io.element.msc4306/rooms/${encodeURIComponent(roomId)}/thread/${encodeURIComponent(root)}/subscription`;
    async function thread(by: SyncClient) {
      const roomId = await by.createRoom();
      const root = await send(by, roomId);
      return { roomId, root, path: path(roomId, root) };
    }
    async function slide(by: SyncClient, options: { pos?: string; limit?: number; timeout?: number } = {}) {
      const { pos, limit, timeout = 0 } = options;
      const query = new URLSearchParams({ timeout: String(timeout), ...(pos !== undefined && { pos }) }).toString();
      const { status, body } = await by.http.post(
        `/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?${query}`,
        { extensions: { [extension]: { enabled: true, ...(limit !== undefined && { limit }) } } },
      );
      assert.equal(status, 200, JSON.stringify(body));
      const changes = (body['extensions'] as Record<string, Changes | undefined>)[extension];
      return { pos: String(body['pos']), changes };
    }
    async function page(by: SyncClient, query: Record<string, string>) {
      const { status, body } = await by.http.get(
        `/_matrix/client/unstable/io.element.msc4308/thread_subscriptions?${new URLSearchParams({ dir: 'b', ...query }).toString()}`,
      );
      assert.equal(status, 200, JSON.stringify(body));
      return body as Changes;
    }

    test('are had until one unsubscribes, however often', async () => {
      const alice = await person();
      const { path } = await thread(alice);
      assert.equal(outcome(await alice.http.get(path)), '404 M_NOT_FOUND');
      assert.equal(outcome(await alice.http.delete(path)), '200');
      assert.equal(outcome(await alice.http.put(path, {})), '200');
      assert.deepEqual((await alice.http.get(path)).body, { automatic: false });
      for (let round = 0; round < 2; round++) assert.equal(outcome(await alice.http.delete(path)), '200');
      assert.equal(outcome(await alice.http.get(path)), '404 M_NOT_FOUND');
    });

    test('are automatic only for an event in the thread that one may see, and give way to manual ones', async () => {
      const alice = await person();
      const { roomId, root, path } = await thread(alice);
      const other = await send(alice, roomId);
      const elsewhere = await send(alice, roomId, other);
      const reply = await send(alice, roomId, root);
      for (const cause of [root, other, elsewhere]) {
        assert.equal(outcome(await alice.http.put(path, { automatic: cause })), notInThread);
      }
      assert.equal(outcome(await alice.http.put(path, { automatic: '$nothing' })), '404 M_NOT_FOUND');
      assert.equal(outcome(await alice.http.put(path, { automatic: true })), '400 M_BAD_JSON');
      assert.equal(outcome(await alice.http.put(path, { automatic: reply })), '200');
      assert.deepEqual((await alice.http.get(path)).body, { automatic: true });
      assert.equal(outcome(await alice.http.put(path, {})), '200');
      assert.deepEqual((await alice.http.get(path)).body, { automatic: false });
      assert.equal(outcome(await alice.http.put(path, { automatic: reply })), '200');
      assert.deepEqual((await alice.http.get(path)).body, { automatic: false });
    });

    test('do not come back by themselves for what was there when one unsubscribed', async () => {
      const alice = await person();
      const { roomId, root, path } = await thread(alice);
      const first = await send(alice, roomId, root);
      await alice.http.put(path, { automatic: first });
      const second = await send(alice, roomId, root);
      await alice.http.delete(path);
      const third = await send(alice, roomId, root);
      for (const cause of [first, second]) {
        assert.equal(outcome(await alice.http.put(path, { automatic: cause })), conflict);
        assert.equal(outcome(await alice.http.get(path)), '404 M_NOT_FOUND');
      }
      assert.equal(outcome(await alice.http.put(path, { automatic: third })), '200');
      assert.deepEqual((await alice.http.get(path)).body, { automatic: true });
      await alice.http.delete(path);
      assert.equal(outcome(await alice.http.put(path, {})), '200');
    });

    test('are for threads that one may see', async () => {
      const [alice, mallory] = [await person(), await person()];
      const { body } = await alice.http.post('/_matrix/client/v3/createRoom', { preset: 'private_chat' });
      const roomId = String(body['room_id']);
      const hidden = path(roomId, await send(alice, roomId));
      for (const who of [mallory, alice]) {
        const target = who === mallory ? hidden : path(roomId, '$nothing');
        assert.equal(outcome(await who.http.put(target, {})), '404 M_NOT_FOUND');
        assert.equal(outcome(await who.http.get(target)), '404 M_NOT_FOUND');
        assert.equal(outcome(await who.http.delete(target)), '404 M_NOT_FOUND');
      }
    });

    test('come over sliding sync, at once and later, to oneself alone', async () => {
      const [alice, bob] = [await person(), await person()];
      const { roomId, root, path } = await thread(alice);
      await bob.join(roomId);
      const before = await slide(alice);
      assert.equal(before.changes, undefined);
      const waiting = slide(alice, { pos: before.pos, timeout: 20_000 });
      await alice.http.put(path, {});
      const { pos, changes } = await waiting;
      const entry = changes?.subscribed?.[roomId]?.[root];
      assert.equal(entry?.automatic, false);
      assert.equal((await slide(alice, { pos })).changes, undefined);
      const anew = await slide(alice);
      assert.deepEqual(anew.changes, changes);
      await alice.http.delete(path);
      const gone = (await slide(alice, { pos: anew.pos })).changes;
      assert.equal(gone?.subscribed, undefined);
      assert.ok((gone?.unsubscribed?.[roomId]?.[root]?.bump_stamp ?? 0) > (entry?.bump_stamp ?? Infinity));
      assert.equal((await slide(bob)).changes, undefined);
    });

    test('stay out of /sync', async () => {
      const alice = await person();
      const { path } = await thread(alice);
      const { body } = await alice.http.get('/_matrix/client/v3/sync');
      await alice.http.put(path, {});
      const later = await alice.http.get(`/_matrix/client/v3/sync?since=${String(body['next_batch'])}`);
      for (const answer of [body, later.body]) assert.equal('thread_subscriptions' in answer, false);
    });

    test('that are too many for one answer come in pages, each of them once', async () => {
      const alice = await person();
      const roomId = await alice.createRoom();
      const roots: string[] = [];
      for (let count = 0; count < 6; count++) roots.push(await send(alice, roomId));
      const idsIn = ({ subscribed = {} }: Changes) => Object.keys(subscribed[roomId] ?? {});
      await alice.http.put(path(roomId, roots[0] ?? ''), {});
      const before = await slide(alice);
      for (const root of roots.slice(1)) await alice.http.put(path(roomId, root), {});
      const { changes = {} } = await slide(alice, { pos: before.pos, limit: 2 });
      assert.deepEqual(new Set(idsIn(changes)), new Set(roots.slice(4)));
      const second = await page(alice, { from: String(changes.prev_batch), to: before.pos, limit: '2' });
      assert.deepEqual(new Set(idsIn(second)), new Set(roots.slice(2, 4)));
      const last = await page(alice, { from: String(second.end), to: before.pos, limit: '2' });
      assert.deepEqual([idsIn(last), last.end], [[roots[1]], undefined]);
      assert.deepEqual(new Set(idsIn(await page(alice, {}))), new Set(roots));
    });

    test('are paged through with tokens of this server', async () => {
      const alice = await person();
      const ask = (query: string) =>
        alice.http.get(`/_matrix/client/unstable/io.element.msc4308/thread_subscriptions?${query}`);
      for (const query of ['dir=f', 'dir=b&limit=0', 'dir=b&from=x', 'dir=b&to=x']) {
        assert.equal(outcome(await ask(query)), '400 M_INVALID_PARAM', query);
      }
      assert.equal(outcome(await ask('')), '400 M_MISSING_PARAM');
    });
  });
}
