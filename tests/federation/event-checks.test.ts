import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { contentOf, createRoom, must, pathOf } from '@portico/testkit/people.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { joinAs, openWithPeer, send, sign } from './peer.ts';

const mallory = '@mallory:peer.test';

type StateEvent = { readonly type: string; readonly state_key: string; readonly event_id: string };

async function eventIdsOf(client: TestClient, roomId: string) {
  const state = (await must(client.get(pathOf(roomId, 'state')))) as unknown as readonly StateEvent[];
  return (type: string, stateKey = ''): string =>
    state.find((each) => each.type === type && each.state_key === stateKey)?.event_id ?? '';
}

/**
 * Each event is one that a single check refuses: by its auth events alone, by the rules with what they say, by the rules with the
 * state before it, and by where the room stands.
 */
test('an event is judged by its auth events, by the state before it, and by where the room stands', async (context) => {
  const { server, peer, alice, roomId, path } = await openWithPeer(context);
  const { eventId: joined, depth } = await joinAs(peer, path, mallory);
  const atFirst = await eventIdsOf(alice, roomId);
  const [create, withoutPower] = [atFirst('m.room.create'), atFirst('m.room.power_levels')];
  const levels = await must(alice.get(pathOf(roomId, 'state/m.room.power_levels/')));
  const setPower = async (power: number): Promise<string> => {
    const users = { ...(levels['users'] as object), [mallory]: power };
    return String(
      (await must(alice.put(pathOf(roomId, 'state/m.room.power_levels/'), { ...levels, users })))['event_id'],
    );
  };
  const topic = (name: string, previous: string, authEvents: readonly string[], over: JsonObject = {}) =>
    sign(peer, {
      type: 'm.room.topic',
      state_key: '',
      room_id: roomId,
      sender: mallory,
      content: { topic: name },
      depth: depth + 10,
      origin_server_ts: Date.now(),
      prev_events: [previous],
      auth_events: [...authEvents],
      ...over,
    });
  const topicNow = async () => (await alice.get(pathOf(roomId, 'state/m.room.topic/'))).body['topic'];
  /** Sends an event, and gives what the answer says is wrong with it. */
  async function errorOf({ pdu, eventId }: ReturnType<typeof sign>): Promise<string | undefined> {
    const { status, body } = await send(peer, [pdu]);
    assert.equal(status, 200);
    return (body as { pdus: Record<string, { error?: string }> }).pdus[eventId]?.error;
  }

  const withPower = await setPower(50);
  const good = [create, withPower, joined];
  const other = await eventIdsOf(alice, await createRoom(alice, { room_version: '10' }));
  const refused: readonly [what: string, event: ReturnType<typeof sign>, error: RegExp][] = [
    [
      'with an auth event that has no say',
      topic('1', withPower, [...good, atFirst('m.room.join_rules')]),
      /auth event/,
    ],
    ['without the create event', topic('2', withPower, [withPower, joined]), /create event/],
    ['with the create event of another room', topic('3', withPower, [other('m.room.create'), withPower, joined]), /./],
    ['with power levels of another room', topic('4', withPower, [create, other('m.room.power_levels'), joined]), /./],
    ['with two power levels', topic('5', withPower, [...good, withoutPower]), /two auth events/],
    ['whose auth events do not allow it', topic('6', withPower, [create, withoutPower, joined]), /level/],
    ['that follows an event of another room', topic('7', other('m.room.create'), good), /another room/],
    ['that follows nothing', topic('8', withPower, good, { prev_events: [] }), /follows none/],
  ];
  for (const [what, event, error] of refused) {
    assert.match((await errorOf(event)) ?? '', error, what);
    assert.equal(await contentOf(alice, roomId, event.eventId), undefined, what);
    assert.equal(await topicNow(), undefined, what);
  }

  const taken = topic('taken', withPower, good);
  assert.equal(await errorOf(taken), undefined);
  assert.equal(await topicNow(), 'taken');
  const lost = await setPower(0);
  const late = topic('late', lost, good);
  assert.match((await errorOf(late)) ?? '', /level/, 'the state before does not allow it');
  const past = topic('past', taken.eventId, good);
  assert.equal(await errorOf(past), undefined, 'nothing was wrong with it then');
  for (const { eventId } of [late, past]) assert.equal(await contentOf(alice, roomId, eventId), undefined);
  assert.equal(await topicNow(), 'taken');

  // What follows a rejected event is judged by the state without it, and what names one is rejected, too.
  const text = { type: 'm.room.message', content: { body: 'after' } };
  const { state_key: _, ...rest } = topic('', late.eventId, [create, lost, joined], text).pdu;
  const { hashes: __, signatures: ___, ...message } = rest;
  const after = sign(peer, { ...message, prev_events: [late.eventId] });
  assert.equal(await errorOf(after), undefined);
  assert.deepEqual({ ...((await contentOf(alice, roomId, after.eventId)) as object) }, { body: 'after' });
  assert.equal(await topicNow(), 'taken');
  const levelsBy = (previous: string) => {
    const content = { ...levels, users: { [mallory]: 100 } };
    return topic('', previous, [create, lost, joined], { type: 'm.room.power_levels', content });
  };
  const stolen = levelsBy(after.eventId);
  assert.match((await errorOf(stolen)) ?? '', /level/);
  const based = topic('based on that', after.eventId, [create, stolen.eventId, joined]);
  assert.match((await errorOf(based)) ?? '', /was rejected/);
  assert.equal(await topicNow(), 'taken');
  assert.deepEqual(server.errors, []);
});
