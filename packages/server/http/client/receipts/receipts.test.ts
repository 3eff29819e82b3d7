import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient, type SyncedRoom } from '@portico/testkit/sync-client.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const threads = { room: { timeline: { unread_thread_notifications: true } } };

describe('receipts', () => {
  const server = serverOfSuite();
  let transactions = 0;

  async function pair(): Promise<{ alice: SyncClient; bob: SyncClient; roomId: string }> {
    const [alice, bob] = [createSyncClient(await server.registerUser()), createSyncClient(await server.registerUser())];
    const roomId = await alice.createRoom();
    await bob.join(roomId);
    return { alice, bob, roomId };
  }

  async function send(by: SyncClient, roomId: string, content: object, type = 'm.room.message'): Promise<string> {
    const { status, body } = await by.http.put(by.room(roomId, `send/${type}/m${++transactions}`), content);
    assert.equal(status, 200, JSON.stringify(body));
    return String(body['event_id']);
  }

  const text = (body: string, more: object = {}) => ({ msgtype: 'm.text', body, ...more });
  const relation = (rel_type: string, event_id: string) => ({ 'm.relates_to': { rel_type, event_id } });
  const receipt = (by: SyncClient, roomId: string, eventId: string, body: object = {}, type = 'm.read') =>
    by.http.post(by.room(roomId, `receipt/${type}/${encodeURIComponent(eventId)}`), body);

  async function room(of: SyncClient, roomId: string, filter: object = {}): Promise<SyncedRoom> {
    const found = (await of.sync({ filter })).rooms?.join?.[roomId];
    assert.ok(found);
    return found;
  }

  /** `notifications/highlights`, then those of threads. */
  async function counts(of: SyncClient, roomId: string, root?: string): Promise<string[]> {
    const show = (count: unknown): string => {
      const { notification_count: all, highlight_count: highlights } = (count ?? {}) as Record<string, number>;
      return `${all ?? 0}/${highlights ?? 0}`;
    };
    const total = show((await room(of, roomId)).unread_notifications);
    if (root === undefined) return [total];
    const byThread = await room(of, roomId, threads);
    return [total, show(byThread.unread_notifications), show(byThread.unread_thread_notifications?.[root])];
  }

  const shown = async (of: SyncClient, roomId: string): Promise<unknown> =>
    (await room(of, roomId)).ephemeral.events.find(({ type }) => type === 'm.receipt')?.content;

  test('of many who read at about the same time are told together', { timeout: 60_000 }, async () => {
    const { alice, bob, roomId } = await pair();
    const readers: SyncClient[] = [];
    for (let count = 0; count < 10; count++) {
      const reader = createSyncClient(await server.registerUser());
      await reader.join(roomId);
      readers.push(reader);
    }
    const eventId = await send(alice, roomId, text('tea?'));
    const filter = { presence: { types: [] } };
    let { next_batch: since } = await bob.sync({ filter });
    const began = performance.now();
    const reading = (async () => {
      for (const reader of readers) assert.equal((await receipt(reader, roomId, eventId)).status, 200);
    })();
    const seen = new Set<string>();
    let answers = 0;
    while (seen.size < readers.length) {
      const answer = await bob.sync({ since, filter, timeout: 30_000 });
      answers += 1;
      since = answer.next_batch;
      for (const { content } of answer.rooms?.join?.[roomId]?.ephemeral.events ?? []) {
        const read = content[eventId] as { readonly 'm.read'?: object } | undefined;
        for (const userId of Object.keys(read?.['m.read'] ?? {})) seen.add(userId);
      }
    }
    await reading;
    const seconds = (performance.now() - began) / 1000;
    assert.ok(answers <= 2 + seconds, `${answers} answers in ${seconds} s`);
  });

  test('threads are counted and read apart', async () => {
    const { alice, bob, roomId } = await pair();
    const mention = { 'm.mentions': { user_ids: [bob.userId] } };
    const a = await send(alice, roomId, text('hello'));
    const b = await send(alice, roomId, text('thread', relation('m.thread', a)));
    await send(alice, roomId, text('thread, bob', { ...relation('m.thread', a), ...mention }));
    const d = await send(alice, roomId, text('bob', mention));
    await send(alice, roomId, text('end of thread', relation('m.thread', a)));
    const f = await send(alice, roomId, text('reference', relation('m.reference', a)));
    const g = await send(alice, roomId, relation('m.annotation', f), 'm.room.reaction');
    assert.deepEqual(await counts(bob, roomId, a), ['6/2', '3/1', '3/1']);

    assert.equal((await receipt(bob, roomId, a, { thread_id: 'main' })).status, 200);
    assert.deepEqual(await counts(bob, roomId, a), ['5/2', '2/1', '3/1']);

    assert.equal((await receipt(bob, roomId, b, { thread_id: a })).status, 200);
    assert.deepEqual(await counts(bob, roomId, a), ['4/2', '2/1', '2/1']);

    assert.equal((await receipt(bob, roomId, d)).status, 200);
    assert.deepEqual(await counts(bob, roomId, a), ['2/0', '1/0', '1/0']);

    assert.equal((await receipt(bob, roomId, g, { thread_id: a })).status, 200);
    assert.deepEqual(await counts(bob, roomId, a), ['1/0', '1/0', '0/0']);
  });

  test('receipts never move backwards', async () => {
    const { alice, bob, roomId } = await pair();
    const first = await send(alice, roomId, text('one'));
    const second = await send(alice, roomId, text('two'));
    await receipt(bob, roomId, second);
    await receipt(bob, roomId, first);
    assert.deepEqual(await counts(bob, roomId), ['0/0']);
    assert.deepEqual(Object.keys((await shown(alice, roomId)) as object), [second]);
  });

  test('private receipts count, and only their owner sees them', async () => {
    const { alice, bob, roomId } = await pair();
    const eventId = await send(alice, roomId, text('hello'));
    assert.equal((await receipt(bob, roomId, eventId, {}, 'm.read.private')).status, 200);
    assert.deepEqual(await counts(bob, roomId), ['0/0']);
    assert.equal(await shown(alice, roomId), undefined);
    assert.deepEqual(Object.keys((await shown(bob, roomId)) as object), [eventId]);
  });

  test('where both are at one event, the unthreaded receipt is shown', async () => {
    const { alice, bob, roomId } = await pair();
    const root = await send(alice, roomId, text('root'));
    const reply = await send(alice, roomId, text('reply', relation('m.thread', root)));
    await receipt(bob, roomId, reply);
    await receipt(bob, roomId, reply, { thread_id: root });
    const content = (await shown(alice, roomId)) as Record<string, Record<string, Record<string, object>>>;
    assert.deepEqual(Object.keys(content[reply]?.['m.read']?.[bob.userId] ?? {}), ['ts']);
  });

  test('read markers move all at once, and come with account data', async () => {
    const { alice, bob, roomId } = await pair();
    const first = await send(alice, roomId, text('one'));
    const second = await send(alice, roomId, text('two'));
    const markers = (body: object) => bob.http.post(bob.room(roomId, 'read_markers'), body);
    assert.equal((await markers({ 'm.fully_read': second, 'm.read': first, 'm.read.private': second })).status, 200);
    await receipt(bob, roomId, first, {}, 'm.fully_read');
    const { account_data: data } = await room(bob, roomId);
    assert.deepEqual(data.events.find(({ type }) => type === 'm.fully_read')?.content, { event_id: second });
    assert.deepEqual(await counts(bob, roomId), ['0/0']);
    assert.deepEqual(Object.keys((await shown(alice, roomId)) as object), [first]);
    assert.equal((await markers({})).status, 200);
  });

  test('a receipt of one device tells the other ones that there is nothing unread', async () => {
    const { alice, bob, roomId } = await pair();
    const eventId = await send(alice, roomId, text('hello'));
    const { next_batch: since } = await bob.sync();
    const waiting = bob.sync({ since, timeout: 20_000 });
    await receipt(bob, roomId, eventId, {}, 'm.read.private');
    const found = (await waiting).rooms?.join?.[roomId];
    assert.deepEqual(found?.unread_notifications, { highlight_count: 0, notification_count: 0 });
  });

  test('what is no receipt is refused', async () => {
    const { alice, bob, roomId } = await pair();
    const root = await send(alice, roomId, text('root'));
    const reply = await send(alice, roomId, text('reply', relation('m.thread', root)));
    const other = await send(alice, roomId, text('other'));
    const elsewhere = await send(alice, await alice.createRoom(), text('elsewhere'));
    const refusals: [string, object, string, string][] = [
      [other, { thread_id: 5 }, 'm.read', '400 M_INVALID_PARAM'],
      [other, { thread_id: '' }, 'm.read', '400 M_INVALID_PARAM'],
      [other, { thread_id: 'main' }, 'm.fully_read', '400 M_INVALID_PARAM'],
      [other, { thread_id: root }, 'm.read', '400 M_INVALID_PARAM'],
      [other, { thread_id: '$nothing' }, 'm.read', '400 M_INVALID_PARAM'],
      [reply, { thread_id: 'main' }, 'm.read', '400 M_INVALID_PARAM'],
      [reply, { thread_id: other }, 'm.read', '400 M_INVALID_PARAM'],
      [root, {}, 'm.unread', '400 M_INVALID_PARAM'],
      ['$nothing', {}, 'm.read', '404 M_NOT_FOUND'],
      [elsewhere, {}, 'm.read', '404 M_NOT_FOUND'],
      [elsewhere, {}, 'm.fully_read', '404 M_NOT_FOUND'],
    ];
    for (const [eventId, body, type, expected] of refusals) {
      const found = refusalOf(await receipt(bob, roomId, eventId, body, type));
      assert.equal(found, expected, `${type} ${JSON.stringify(body)}`);
    }
    await bob.leave(roomId);
    assert.equal(refusalOf(await receipt(bob, roomId, other)), '403 M_FORBIDDEN');
    assert.equal(refusalOf(await receipt(bob, '!nowhere:localhost', other)), '403 M_FORBIDDEN');
  });

  test('own messages, edits and reactions are not unread, and redactions take back', async () => {
    const { alice, bob, roomId } = await pair();
    const first = await send(alice, roomId, text('one'));
    const second = await send(alice, roomId, text('two', { 'm.mentions': { user_ids: [bob.userId] } }));
    await send(alice, roomId, text('* one', relation('m.replace', first)));
    await send(alice, roomId, relation('m.annotation', first), 'm.reaction');
    assert.deepEqual(await counts(bob, roomId), ['2/1']);
    assert.deepEqual(await counts(alice, roomId), ['0/0']);
    await alice.redact(roomId, second);
    assert.deepEqual(await counts(bob, roomId), ['1/0']);
    await send(bob, roomId, text('three'));
    assert.deepEqual(await counts(bob, roomId), ['0/0']);
    assert.deepEqual(await counts(alice, roomId), ['1/0']);
  });

  test('a muted room counts nothing, and what was unread stays', async () => {
    const { alice, bob, roomId } = await pair();
    await send(alice, roomId, text('one'));
    const path = `/_matrix/client/v3/pushrules/global/override/${encodeURIComponent(roomId)}`;
    const conditions = [{ kind: 'event_match', key: 'room_id', pattern: roomId }];
    assert.equal((await bob.http.put(path, { conditions, actions: [] })).status, 200);
    await send(alice, roomId, text('two', { 'm.mentions': { room: true, user_ids: [bob.userId] } }));
    assert.deepEqual(await counts(bob, roomId), ['1/0']);
    assert.equal((await bob.http.delete(path)).status, 200);
    await send(alice, roomId, text('three', { 'm.mentions': { room: true } }));
    assert.deepEqual(await counts(bob, roomId), ['2/1']);
  });
});
