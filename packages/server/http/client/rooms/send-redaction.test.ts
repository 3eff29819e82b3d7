import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';

const server = await startTestServer();
const alice = await server.registerUser();
const bob = await server.registerUser();
after(() => server.close());
const v3 = '/_matrix/client/v3';

for (const version of ['1', '10', '11', '12']) {
  test(`a redaction can be sent like any message (version ${version})`, async () => {
    const made = await alice.post(`${v3}/createRoom`, { room_version: version, preset: 'public_chat' });
    const roomId = encodeURIComponent(String(made.body['room_id']));
    const room = `${v3}/rooms/${roomId}`;
    await bob.post(`${v3}/join/${roomId}`, {});
    const say = async () =>
      String((await alice.put(`${room}/send/m.room.message/${Math.random()}`, { body: 'x' })).body['event_id']);
    const [eventId, other] = [await say(), await say()];
    const content = { redacts: eventId, reason: 'why', 'org.example.more': 1 };
    const sent = await alice.put(`${room}/send/m.room.redaction/1`, content);
    assert.equal(sent.status, 200, JSON.stringify(sent.body));
    // The transactions of both endpoints are those of the same event.
    const again = await alice.put(`${room}/redact/${encodeURIComponent(eventId)}/1`, {});
    assert.deepEqual(again.body, sent.body);
    const { body: redacted } = await alice.get(`${room}/event/${encodeURIComponent(eventId)}`);
    assert.deepEqual(redacted['content'], {});
    const { body: redaction } = await alice.get(`${room}/event/${encodeURIComponent(String(sent.body['event_id']))}`);
    // What clients get has it in both places, whatever the version.
    assert.deepEqual([redaction['redacts'], redaction['content']], [eventId, content]);
    const refused = await bob.put(`${room}/send/m.room.redaction/1`, { redacts: other });
    assert.deepEqual([refused.status, refused.body['errcode']], [403, 'M_FORBIDDEN']);
    for (const wrong of [{}, { redacts: 1 }]) {
      const { status, body } = await alice.put(`${room}/send/m.room.redaction/2`, wrong);
      assert.deepEqual([status, body['errcode']], [400, 'M_BAD_JSON']);
    }
    const unknown = await alice.put(`${room}/send/m.room.redaction/3`, { redacts: 'nothing' });
    assert.deepEqual([unknown.status, unknown.body['errcode']], [404, 'M_NOT_FOUND']);
  });
}
