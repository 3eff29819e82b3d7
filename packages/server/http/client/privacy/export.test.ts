import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { unzip } from '@portico/testkit/unzip.ts';

const v3 = '/_matrix/client/v3';
const path = '/_portico/client/v1/privacy/export';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`the export (${engine})`, async () => {
    const server = await startTestServer({ engine });
    after(() => server.close());

    const download = (by: TestClient) =>
      fetch(server.baseUrl + path, { headers: { authorization: `Bearer ${by.accessToken}` } });

    async function upload(by: TestClient, text: string): Promise<void> {
      const headers = { authorization: `Bearer ${by.accessToken}`, 'content-type': 'text/plain' };
      const init = { method: 'POST', headers, body: text };
      assert.equal((await fetch(`${server.baseUrl}/_matrix/media/v3/upload?filename=a.txt`, init)).status, 200);
    }

    test('holds everything of theirs, and nothing of others', async () => {
      const [alice, bob] = [await server.registerUser(), await server.registerUser()];
      await alice.put(`${v3}/profile/${alice.userId}/displayname`, { displayname: 'Alice' });
      await alice.put(`${v3}/user/${alice.userId}/account_data/org.example.notes`, { text: 'a note' });
      await bob.put(`${v3}/user/${bob.userId}/account_data/org.example.notes`, { text: 'a secret of Bob' });
      for (let index = 0; index < 120; index++) await upload(alice, `letter ${index}`);
      await upload(bob, 'a letter of Bob');
      const email = `${alice.userId.slice(1, 12)}@example.org`;
      const raw = await openRawDatabase(server.databaseUrl);
      await raw.run("insert into third_party_ids values ('email', $1, $2, 1, 2)", [email, alice.userId]);
      await raw.close();
      const created = await bob.post(`${v3}/createRoom`, { preset: 'public_chat' });
      const roomId = String(created.body['room_id']);
      const room = `${v3}/rooms/${encodeURIComponent(roomId)}`;
      await alice.post(`${room}/join`, {});
      const say = (by: TestClient, body: string) =>
        by.put(`${room}/send/m.room.message/${body.length}`, { msgtype: 'm.text', body });
      await say(alice, 'said by Alice');
      await say(bob, 'said by somebody else');
      const later = `${room}/send/m.room.message/later?org.matrix.msc4140.delay=3600000`;
      const delayed = await alice.put(later, { msgtype: 'm.text', body: 'to be said' });
      assert.equal(delayed.status, 200, JSON.stringify(delayed.body));

      const response = await download(alice);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'application/zip');
      assert.equal(response.headers.get('access-control-allow-origin'), '*');
      const zipped = Buffer.from(await response.arrayBuffer());
      const files = await unzip(zipped);
      const json = (name: string) =>
        JSON.parse(files.get(`${name}.json`)?.toString() ?? '') as Record<string, unknown>[];
      assert.equal(json('account')[0]?.['user_id'], alice.userId);
      assert.deepEqual(json('profile'), [{ name: 'displayname', value: 'Alice' }]);
      assert.deepEqual(json('third-party-ids'), [{ medium: 'email', address: email, validated_at: 1, added_at: 2 }]);
      assert.deepEqual(
        json('account-data').find((row) => row['type'] === 'org.example.notes'),
        { room_id: '', type: 'org.example.notes', content: { text: 'a note' } },
      );
      assert.deepEqual(
        json('devices').map((device) => device['device_id']),
        [alice.deviceId],
      );
      assert.deepEqual(
        json('rooms').map((row) => [row['room_id'], row['membership']]),
        [[roomId, 'join']],
      );
      assert.deepEqual(
        json('delayed-events').map((row) => [row['room_id'], row['content']]),
        [[roomId, { msgtype: 'm.text', body: 'to be said' }]],
      );
      const events = (files.get('events.jsonl')?.toString() ?? '').trimEnd().split('\n');
      const contents = events.map((line) => (JSON.parse(line) as { content: Record<string, unknown> }).content);
      assert.deepEqual(contents, [
        { displayname: 'Alice', membership: 'join' },
        { msgtype: 'm.text', body: 'said by Alice' },
      ]);
      const media = [...files].filter(([name]) => name.startsWith('media/')).map(([, content]) => content.toString());
      assert.deepEqual(new Set(media), new Set(Array.from({ length: 120 }, (_, index) => `letter ${index}`)));
      assert.equal(json('media').length, 120);
      const all = Buffer.concat([...files.values()]).toString();
      for (const secret of ['of Bob', 'somebody else', alice.accessToken, delayed.body['delay_id'] as string])
        assert.ok(!all.includes(secret), secret);
      assert.deepEqual(server.errors, []);
    });

    test('is for oneself alone, and an end of the connection ends it', async () => {
      assert.equal((await server.anonymous.get(path)).status, 401);
      const alice = await server.registerUser();
      for (let index = 0; index < 20; index++) await upload(alice, 'x'.repeat(500_000));
      const controller = new AbortController();
      const headers = { authorization: `Bearer ${alice.accessToken}` };
      const response = await fetch(server.baseUrl + path, { headers, signal: controller.signal });
      await response.body?.getReader().read();
      controller.abort();
      const again = await download(alice);
      const profile = [{ name: 'displayname', value: alice.userId.slice(1, alice.userId.indexOf(':')) }];
      const files = await unzip(Buffer.from(await again.arrayBuffer()));
      assert.deepEqual(JSON.parse(String(files.get('profile.json'))), profile);
      assert.deepEqual(server.errors, []);
    });
  });
}

test('the export is limited in rate', async (context) => {
  const server = await startTestServer({ settings: { RATE_LIMITS_ENABLED: 'true' } });
  context.after(() => server.close());
  const alice = await server.registerUser();
  const headers = { authorization: `Bearer ${alice.accessToken}` };
  const statuses: number[] = [];
  for (let index = 0; index < 3; index++) {
    const response = await fetch(server.baseUrl + path, { headers });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  assert.deepEqual(statuses, [200, 200, 429]);
});
