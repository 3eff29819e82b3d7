import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

const v3 = '/_matrix/client/v3';

type Servers = { readonly says: TestServer; readonly hears: TestServer };

async function twoProcesses(): Promise<Servers> {
  const says = await startTestServer({ engine: 'postgres' });
  return { says, hears: await startTestServer({ engine: 'postgres', databaseUrl: says.databaseUrl }) };
}

async function oneProcess(): Promise<Servers> {
  const server = await startTestServer();
  return { says: server, hears: server };
}

for (const [kind, start] of [
  ['one process', oneProcess],
  ['another process', twoProcesses],
] as const) {
  void test(`the name of a room that was redacted is gone for all decisions (${kind})`, async (t) => {
    const { says, hears } = await start();
    t.after(() => Promise.all([...new Set([says, hears])].map((server) => server.close())));
    const alice = await says.registerUser();
    const bob = await says.registerUser();
    const there = hears.as(alice);
    const { body: made } = await alice.post(`${v3}/createRoom`, { preset: 'private_chat' });
    const room = `${v3}/rooms/${encodeURIComponent(String(made['room_id']))}`;
    const name = (client: TestClient) => client.put(`${room}/state/m.room.name/`, { name: 'a secret' });

    const { body: named } = await name(there);
    assert.deepEqual((await name(there)).body, named, 'what is there already is not said again');
    await alice.put(`${room}/redact/${encodeURIComponent(String(named['event_id']))}/1`, {});
    await there.post(`${room}/invite`, { user_id: bob.userId });
    const shown = (await hears.as(bob).get(`${v3}/sync?timeout=0`)).body['rooms'] as {
      readonly invite: Readonly<Record<string, { readonly invite_state: { readonly events: readonly object[] } }>>;
    };
    const stripped = shown.invite[String(made['room_id'])]?.invite_state.events ?? [];
    assert.deepEqual(
      stripped.filter((event) => 'type' in event && event.type === 'm.room.name'),
      [{ content: {}, sender: alice.userId, state_key: '', type: 'm.room.name' }],
    );
    const { body: again } = await name(there);
    assert.notEqual(again['event_id'], named['event_id'], 'who redacts a name can give it again');
    assert.deepEqual((await there.get(`${room}/state/m.room.name/`)).body, { name: 'a secret' });
  });
}
