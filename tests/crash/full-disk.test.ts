import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';

const client = '/_matrix/client/v3';

test('on a full disk writes are refused, reads go on, and it recovers by itself', async (context) => {
  const server = await startTestServer({ settings: { TEST_MAX_DATABASE_BYTES: String(4 * 1024 * 1024) } });
  context.after(() => server.close());
  const alice = createSyncClient(await server.registerUser());
  const roomId = await alice.createRoom();
  await alice.setAccountData('test.ballast', { ballast: 'x'.repeat(500_000) });
  const { next_batch: since } = await alice.sync();

  const sent: string[] = [];
  const send = async (txnId: string) => {
    const content = { msgtype: 'm.text', body: `${txnId} ${'x'.repeat(30_000)}` };
    return alice.http.put(alice.room(roomId, `send/m.room.message/${txnId}`), content);
  };
  let refused = await send('0');
  for (let index = 1; refused.status === 200; index++) {
    sent.push(String(refused.body['event_id']));
    refused = await send(String(index));
  }
  assert.ok(sent.length > 10, `${sent.length} were sent`);
  assert.deepEqual([refused.status, refused.body['errcode']], [503, 'M_UNKNOWN']);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);

  const { rooms } = await alice.sync({ since });
  assert.equal(rooms?.join?.[roomId]?.timeline.events.at(-1)?.event_id, sent.at(-1));
  for (const eventId of sent) await alice.get(roomId, `event/${encodeURIComponent(eventId)}`);
  const query = new URLSearchParams({ dir: 'b', limit: '5' });
  assert.equal((await alice.http.get(alice.room(roomId, `messages?${query.toString()}`))).status, 200);
  assert.equal((await alice.http.get(`${client}/account/whoami`)).status, 200);

  await alice.setAccountData('test.ballast', {});
  const again = await send(String(sent.length));
  assert.equal(again.status, 200, 'the very transaction that was refused');
  assert.ok(!sent.includes(String(again.body['event_id'])));
});
