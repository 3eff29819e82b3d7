import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';

const server = await startTestServer();
const [alice, bob] = await Promise.all([server.registerUser('alice'), server.registerUser('bob')]);
after(() => server.close());
const global = (type: string, user = alice.userId) => `/_matrix/client/v3/user/${user}/account_data/${type}`;
const inRoom = (room: string, type: string) =>
  `/_matrix/client/v3/user/${alice.userId}/rooms/${encodeURIComponent(room)}/account_data/${type}`;

test('account data comes back as it was put, per user, room and type', async () => {
  const text = '{"a":1,"__proto__":{"b":[null,1.5]},"é":"\\u0000"}';
  const put = await fetch(`${server.baseUrl}${global('org.example')}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${alice.accessToken}` },
    body: text,
  });
  assert.deepEqual([put.status, await put.json()], [200, {}]);
  await alice.put(inRoom('!r:localhost', 'org.example'), { room: true });
  assert.equal(JSON.stringify((await alice.get(global('org.example'))).body), text);
  assert.deepEqual((await alice.get(inRoom('!r:localhost', 'org.example'))).body, { room: true });
  await alice.put(global('org.example'), { replaced: 1 });
  assert.deepEqual((await alice.get(global('org.example'))).body, { replaced: 1 });
});

test('push rules are there from the beginning, and as they were changed', async () => {
  const rules = '/_matrix/client/v3/pushrules/';
  for (const change of [undefined, { enabled: true }]) {
    if (change) await alice.put(`${rules}global/override/.m.rule.master/enabled`, change);
    const { status, body } = await alice.get(global('m.push_rules'));
    assert.deepEqual([status, body], [200, (await alice.get(rules)).body]);
  }
  assert.equal((await bob.get(global('m.push_rules'))).status, 403);
});

test('what was never put is not found', async () => {
  for (const path of [global('nothing'), inRoom('!other:localhost', 'org.example')]) {
    const { status, body } = await alice.get(path);
    assert.deepEqual([status, body['errcode']], [404, 'M_NOT_FOUND']);
  }
});

test('what is deleted is not found, and clients are told', async () => {
  const unstable = (path: string) => path.replace('/v3/', '/unstable/org.matrix.msc3391/');
  const sync = async (since?: string) => {
    const { body } = await alice.get(
      `/_matrix/client/v3/sync?timeout=0${since === undefined ? '' : `&since=${since}`}`,
    );
    const { events } = body['account_data'] as { events: { type: string; content: object }[] };
    return { next: String(body['next_batch']), content: events.find(({ type }) => type === 'org.gone')?.content };
  };
  const erasures = [() => alice.delete(unstable(global('org.gone'))), () => alice.put(global('org.gone'), {})];
  for (const erase of erasures) {
    await alice.put(global('org.gone'), { kept: 1 });
    const before = await sync();
    assert.deepEqual(before.content, { kept: 1 });
    assert.deepEqual((await erase()).body, {});
    assert.equal((await alice.get(global('org.gone'))).status, 404);
    assert.deepEqual((await sync(before.next)).content, {});
    assert.equal((await sync()).content, undefined);
  }
  await alice.put(inRoom('!r:localhost', 'org.gone'), { kept: 1 });
  assert.equal((await alice.delete(unstable(inRoom('!r:localhost', 'org.gone')))).status, 200);
  assert.equal((await alice.get(inRoom('!r:localhost', 'org.gone'))).status, 404);
  assert.deepEqual((await alice.delete(unstable(global('never.there')))).body, {});
  assert.equal((await bob.delete(unstable(global('org.gone')))).status, 403);
});

test('refusals', async () => {
  const refusals = [
    [await bob.get(global('org.example')), 403, 'M_FORBIDDEN'],
    [await bob.put(global('org.example'), {}), 403, 'M_FORBIDDEN'],
    [await alice.put(global('m.fully_read'), {}), 405, 'M_BAD_JSON'],
    [await alice.put(inRoom('!r:localhost', 'm.push_rules'), {}), 405, 'M_BAD_JSON'],
    [await alice.put(inRoom('@no:room', 'x'), {}), 400, 'M_INVALID_PARAM'],
    [await alice.put(global('x'), []), 400, 'M_BAD_JSON'],
    [await alice.put(global('x')), 400, 'M_NOT_JSON'],
    [await alice.put(global('x'), { long: 'x'.repeat(1024 * 1024) }), 413, 'M_TOO_LARGE'],
    [await alice.put(global('x'.repeat(256)), {}), 400, 'M_INVALID_PARAM'],
  ] as const;
  for (const [{ status, body }, ...expected] of refusals) assert.deepEqual([status, body['errcode']], expected);
});

const filterPath = `/_matrix/client/v3/user/${alice.userId}/filter`;

test('a filter comes back as it was put; the same one again has the same ID', async () => {
  const filter = { room: { timeline: { limit: 5, types: ['m.*'] }, future: 1 }, event_format: 'client' };
  const first = await alice.post(filterPath, filter);
  const id = String(first.body['filter_id']);
  assert.equal(first.status, 200);
  assert.deepEqual((await alice.get(`${filterPath}/${id}`)).body, filter);
  assert.equal((await alice.post(filterPath, filter)).body['filter_id'], id);
  assert.notEqual((await alice.post(filterPath, {})).body['filter_id'], id);
});

test('a filter that is not one, not there, or not mine', async () => {
  const refusals = [
    [await alice.post(filterPath, { room: 1 }), 400, 'M_BAD_JSON'],
    [await alice.post(filterPath, { room: { timeline: { senders: 'all' } } }), 400, 'M_BAD_JSON'],
    [await alice.post(filterPath, { room: { timeline: { rooms: ['a-room'] } } }), 400, 'M_BAD_JSON'],
    [await alice.get(`${filterPath}/9999`), 404, 'M_NOT_FOUND'],
    [await alice.get(`${filterPath}/..%2F1`), 404, 'M_NOT_FOUND'],
    [await bob.get(`${filterPath}/1`), 403, 'M_FORBIDDEN'],
  ] as const;
  for (const [{ status, body }, ...expected] of refusals) assert.deepEqual([status, body['errcode']], expected);
});
