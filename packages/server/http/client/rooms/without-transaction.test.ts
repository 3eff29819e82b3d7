import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';

const server = await startTestServer();
const alice = await server.registerUser();
const v3 = '/_matrix/client/v3';
const { body: made } = await alice.post(`${v3}/createRoom`, { preset: 'private_chat' });
const room = `${v3}/rooms/${encodeURIComponent(String(made['room_id']))}`;
const read = async (eventId: unknown) => (await alice.get(`${room}/event/${encodeURIComponent(String(eventId))}`)).body;
after(() => server.close());

test('a message is sent without a transaction ID, each time that it is asked for', async () => {
  const content = { msgtype: 'm.text', body: 'from a script' };
  const first = await alice.post(`${room}/send/m.room.message`, content);
  assert.equal(first.status, 200, JSON.stringify(first.body));
  assert.deepEqual((await read(first.body['event_id']))['content'], content);
  const second = await alice.post(`${room}/send/m.room.message`, content);
  assert.notEqual(second.body['event_id'], first.body['event_id']);
  const { status, body } = await (await server.registerUser()).post(`${room}/send/m.room.message`, content);
  assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN']);
});

test('an event is redacted without a transaction ID', async () => {
  const sent = await alice.post(`${room}/send/m.room.message`, { body: 'a mistake' });
  const eventId = String(sent.body['event_id']);
  const redaction = await alice.post(`${room}/redact/${encodeURIComponent(eventId)}`, { reason: 'wrong' });
  assert.equal(redaction.status, 200, JSON.stringify(redaction.body));
  assert.deepEqual((await read(eventId))['content'], {});
  assert.deepEqual((await read(redaction.body['event_id']))['content'], { redacts: eventId, reason: 'wrong' });
});
