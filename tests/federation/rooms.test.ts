import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startTestNetwork, type TestNetwork } from '@portico/testkit/network.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const names = ['hs1', 'hs2'];

async function open(context: TestContext): Promise<TestNetwork> {
  const network = await startTestNetwork(names);
  context.after(() => network.close());
  return network;
}

/** Asks again until it is so. */
async function until<T>(ask: () => Promise<T | undefined>, what: string): Promise<T> {
  for (const end = Date.now() + 15_000; Date.now() < end;) {
    const found = await ask();
    if (found !== undefined) return found;
    await pause(20);
  }
  throw new Error(`It did not come to pass: ${what}`);
}

async function createRoom(client: TestClient, settings: object = {}): Promise<string> {
  const { status, body } = await client.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', ...settings });
  assert.equal(status, 200, JSON.stringify(body));
  return String(body['room_id']);
}

let transactions = 0;
async function say(client: TestClient, roomId: string, text: string): Promise<string> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${transactions++}`;
  const { status, body } = await client.put(path, { msgtype: 'm.text', body: text });
  assert.equal(status, 200, JSON.stringify(body));
  return String(body['event_id']);
}

async function contentOf(client: TestClient, roomId: string, eventId: string): Promise<unknown> {
  const { status, body } = await client.get(
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/event/${encodeURIComponent(eventId)}`,
  );
  return status === 200 ? body['content'] : undefined;
}

const sees = (client: TestClient, roomId: string, eventId: string) =>
  until(() => contentOf(client, roomId, eventId), `${client.userId} sees ${eventId}`);

async function stateOf(client: TestClient, roomId: string): Promise<string[]> {
  const { body } = await client.get(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`);
  return (body as unknown as { event_id: string }[]).map((event) => event.event_id).toSorted();
}

async function join(client: TestClient, roomId: string, via: string): Promise<void> {
  const { status, body } = await client.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=${via}`, {});
  assert.equal(status, 200, JSON.stringify(body));
}

for (const version of ['2', '6', '11', '12']) {
  test(`a room of version ${version} is joined from another server, and both hear each other`, async (context) => {
    const network = await open(context);
    const [alice, bob] = await Promise.all([
      network.server('hs1').registerUser('alice'),
      network.server('hs2').registerUser('bob'),
    ]);
    const roomId = await createRoom(alice, { room_version: version, name: 'Across' });
    await say(alice, roomId, 'before');
    await join(bob, roomId, 'hs1');
    assert.deepEqual(await sees(bob, roomId, await say(alice, roomId, 'hello')), { msgtype: 'm.text', body: 'hello' });
    assert.deepEqual(await sees(alice, roomId, await say(bob, roomId, 'hi')), { msgtype: 'm.text', body: 'hi' });
    assert.deepEqual(await stateOf(alice, roomId), await stateOf(bob, roomId));
    assert.deepEqual(network.server('hs1').errors, []);
    assert.deepEqual(network.server('hs2').errors, []);
  });
}
