import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { roomVersions } from '@portico/protocol';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

test('a room of version 1 goes on after a restart, naming events that are no longer in memory', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-versions-'));
  after(() => rmSync(dataDir, { recursive: true, force: true }));
  const before = await startTestServer({ dataDir });
  const alice = await before.registerUser();
  const { body } = await alice.post('/_matrix/client/v3/createRoom', { room_version: '1' });
  await before.stop();
  const server = await startTestServer({ dataDir });
  after(() => server.close());
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(String(body['room_id']))}/send/m.room.message/1`;
  const sent = await server.as(alice).put(path, { msgtype: 'm.text', body: 'still here' });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
});

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`rooms of every version (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());
    const alice = await server.registerUser();
    const bob = await server.registerUser();

    for (const { version } of roomVersions) {
      test(`version ${version}: create, join, send, redact, leave`, async () => {
        const created = await alice.post('/_matrix/client/v3/createRoom', {
          room_version: version,
          preset: 'public_chat',
          name: 'A room',
        });
        assert.equal(created.status, 200, JSON.stringify(created.body));
        const room = `/_matrix/client/v3/rooms/${encodeURIComponent(String(created.body['room_id']))}`;
        assert.equal((await bob.post(`${room}/join`, {})).status, 200);
        const send = async (txn: string) =>
          bob.put(`${room}/send/m.room.message/${txn}`, { msgtype: 'm.text', body: 'hello' });
        const [first, second] = await Promise.all([send('1'), send('2')]);
        const eventId = String(first.body['event_id']);
        assert.match(eventId, version === '1' || version === '2' ? /^\$[\w-]+:localhost$/ : /^\$[\w+/-]{43}$/);
        assert.notEqual(eventId, second.body['event_id']);
        const redact = (id: unknown, client: TestClient) =>
          client.put(`${room}/redact/${encodeURIComponent(String(id))}/${client.deviceId}`, {});
        assert.equal((await redact(eventId, bob)).status, 200);
        assert.equal((await redact(second.body['event_id'], alice)).status, 200);
        const { body } = await bob.get(`${room}/event/${encodeURIComponent(eventId)}`);
        assert.deepEqual(body['content'], {});
        assert.equal((await alice.put(`${room}/state/m.room.topic`, { topic: 'Versions' })).status, 200);
        const nobody = await alice.put(`${room}/state/m.room.member/nobody`, { membership: 'invite' });
        assert.equal(nobody.body['errcode'], 'M_INVALID_PARAM');
        assert.equal((await bob.post(`${room}/leave`, {})).status, 200);
        assert.equal((await send('3')).status, 403);
      });
    }
  });
}
