import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { until } from '@portico/testkit/until.ts';
import { joinAs, openWithPeer, send, sign } from './peer.ts';

const mallory = '@mallory:peer.test';

/**
 * A room in which mallory, of one server, redacts what oscar, of another one, has said, at a time when she has one power level;
 * she has another one when the server of alice, whose room it is, comes to know of either.
 */
async function open(context: TestContext, level: number, later: number) {
  const { network, server, peer, path, roomId, alice } = await openWithPeer(context);
  const other = await openPeer(context, network, 'other.test');
  const joined = await joinAs(peer, path);
  const oscarJoined = await joinAs(other, path, '@oscar:other.test');
  const room = `/_matrix/client/v3/rooms/${path}`;
  async function promote(level: number): Promise<string> {
    const { body: levels } = await alice.get(`${room}/state/m.room.power_levels/`);
    const users = { ...(levels['users'] as JsonObject), [mallory]: level };
    const { status, body } = await alice.put(`${room}/state/m.room.power_levels/`, { ...levels, users });
    assert.equal(status, 200);
    return String(body['event_id']);
  }
  const levels = await promote(level);
  const { body: said } = await alice.put(`${room}/send/m.room.message/1`, { body: 'before' });
  const before = String(said['event_id']);
  const authEvents = [String((joined.template['auth_events'] as string[])[0]), levels];
  const base = { room_id: roomId, origin_server_ts: Date.now(), content: {} };
  const make = (depth: number, event: JsonObject, previous: string) =>
    sign(event['sender'] === mallory ? peer : other, {
      ...base,
      depth: joined.depth + 10 + depth,
      prev_events: [previous],
      auth_events: [...authEvents, event['sender'] === mallory ? joined.eventId : oscarJoined.eventId],
      ...event,
    });
  const regretted = make(
    1,
    { sender: '@oscar:other.test', type: 'm.room.message', content: { body: 'regretted' } },
    before,
  );
  const redaction = make(
    2,
    { sender: mallory, type: 'm.room.redaction', redacts: regretted.eventId },
    regretted.eventId,
  );
  const contentOf = async (eventId: string) =>
    (await alice.get(`${room}/event/${encodeURIComponent(eventId)}`)).body['content'];
  async function pages() {
    const seen: { event_id: string; content: JsonObject }[] = [];
    for (let from: string | undefined = ''; from !== undefined;) {
      const { body } = await alice.get(`${room}/messages?dir=b&limit=2${from}`);
      const { chunk, end } = body as unknown as { chunk: typeof seen; end?: string };
      seen.push(...chunk);
      from = end === undefined ? undefined : `&from=${end}`;
    }
    return seen;
  }
  /** Tells of an event behind some others, oldest first, which alice's server has to ask for; what it makes of them. */
  async function tellBehind(hidden: readonly [...Made[], Made], after: string) {
    const newest = hidden.at(-1)?.eventId ?? '';
    const behind = make(3, { sender: mallory, type: 'm.room.message', content: { body: 'behind' } }, newest);
    const uri = `/_matrix/federation/v1/state_ids/${path}?event_id=${encodeURIComponent(after)}`;
    const { body: state } = await peer.send('hs1', 'GET', uri);
    const pdus = hidden.map(({ pdu }) => pdu).toReversed();
    const told = (some: readonly JsonObject[]) => ({ body: { origin: 'peer.test', origin_server_ts: 1, pdus: some } });
    peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
    peer.on('GET', '/_matrix/federation/v1/event/', () => told(pdus.slice(0, 1)));
    peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({ body: state as JsonObject }));
    peer.on('GET', '/_matrix/federation/v1/backfill/', () => told(pdus));
    await send(peer, [behind.pdu]);
    const ids = new Set(hidden.map(({ eventId }) => eventId));
    const seen = (await pages()).filter(({ event_id: id }) => ids.has(id)).toReversed();
    return seen.map(({ event_id: id, content }) => [id, content] as const);
  }
  async function say(body: string): Promise<string> {
    return String((await alice.put(`${room}/send/m.room.message/${body}`, { body })).body['event_id']);
  }
  const kick = (how: 'kick' | 'ban') => alice.post(`${room}/${how}`, { user_id: mallory });
  return {
    server,
    peer,
    other,
    path,
    alice,
    joined: joined.eventId,
    kick,
    before,
    make,
    regretted,
    redaction,
    contentOf,
    tellBehind,
    say,
    change: () => promote(later),
  };
}

type Made = ReturnType<typeof sign>;

const cases = [
  {
    level: 50,
    later: 0,
    redacts: true,
    title: 'a redaction of the past holds though its sender has lost the power since',
  },
  {
    level: 0,
    later: 50,
    redacts: false,
    title: 'a redaction of the past does not hold since its sender has got the power',
  },
] as const;

for (const { level, later, redacts, title } of cases) {
  test(title, async (context) => {
    const { server, before, regretted, redaction, tellBehind, change } = await open(context, level, later);
    await change();
    assert.deepEqual(
      await tellBehind([regretted, redaction], before),
      redacts
        ? [
            [regretted.eventId, {}],
            [redaction.eventId, { redacts: regretted.eventId }],
          ]
        : [[regretted.eventId, { body: 'regretted' }]],
    );
    assert.deepEqual(server.errors, []);
  });

  test(`${title}: one that came before what it redacts`, async (context) => {
    const { server, peer, before, make, regretted, redaction, contentOf, change } = await open(context, level, later);
    const early = make(2, { sender: mallory, type: 'm.room.redaction', redacts: regretted.eventId }, before);
    await send(peer, [early.pdu]);
    await change();
    await send(peer, [regretted.pdu]);
    assert.deepEqual(await contentOf(regretted.eventId), redacts ? {} : { body: 'regretted' });
    // Sent anew, as if it were still then, it counts for nothing: the room is another one now.
    await send(peer, [redaction.pdu]);
    assert.deepEqual(await contentOf(regretted.eventId), redacts ? {} : { body: 'regretted' });
    assert.deepEqual(server.errors, []);
  });
}

test('who has lost the power redacts nothing by an event that says it was earlier', async (context) => {
  const { server, peer, regretted, redaction, contentOf, change } = await open(context, 50, 0);
  await send(peer, [regretted.pdu]);
  await change();
  await send(peer, [redaction.pdu]);
  assert.deepEqual(await contentOf(regretted.eventId), { body: 'regretted' });
  assert.deepEqual(server.errors, []);
});

test('old power levels that a redaction of the past names give no power behind newer ones', async (context) => {
  const { server, make, tellBehind, say, change } = await open(context, 50, 0);
  await change();
  const after = await say('after');
  const text = { type: 'm.room.message', content: { body: 'of oscar' } };
  const victim = make(1, { sender: '@oscar:other.test', ...text }, after);
  const forged = make(2, { sender: mallory, type: 'm.room.redaction', redacts: victim.eventId }, victim.eventId);
  assert.deepEqual(await tellBehind([victim, forged], after), [[victim.eventId, { body: 'of oscar' }]]);
  assert.deepEqual(server.errors, []);
});

test('a redaction that waits for what it redacts holds though its sender is not in the room any more', async (context) => {
  const { server, peer, other, kick, before, make, regretted, contentOf } = await open(context, 50, 50);
  const early = make(2, { sender: mallory, type: 'm.room.redaction', redacts: regretted.eventId }, before);
  await send(peer, [early.pdu]);
  assert.equal((await kick('kick')).status, 200);
  await send(other, [regretted.pdu]);
  assert.deepEqual(await contentOf(regretted.eventId), {});
  assert.deepEqual(server.errors, []);
});

test('nobody who was banned redacts what is still to come by an event that says it was earlier', async (context) => {
  const { server, peer, other, kick, before, make, regretted, contentOf } = await open(context, 50, 50);
  assert.equal((await kick('ban')).status, 200);
  const early = make(2, { sender: mallory, type: 'm.room.redaction', redacts: regretted.eventId }, before);
  await send(peer, [early.pdu]);
  await send(other, [regretted.pdu]);
  assert.deepEqual(await contentOf(regretted.eventId), { body: 'regretted' });
  assert.deepEqual(server.errors, []);
});

test('of many that redact what is not here yet, the first that may counts', async (context) => {
  const { server, peer, other, before, make, regretted, contentOf } = await open(context, 0, 0);
  const of = (sender: string) => make(2, { sender, type: 'm.room.redaction', redacts: regretted.eventId }, before);
  const forged = Array.from({ length: 150 }, (_, index) =>
    make(2, { sender: mallory, type: 'm.room.redaction', redacts: regretted.eventId, content: { index } }, before),
  );
  for (let start = 0; start < forged.length; start += 50) {
    await send(
      peer,
      forged.slice(start, start + 50).map(({ pdu }) => pdu),
    );
  }
  const allowed = of('@oscar:other.test');
  await send(other, [allowed.pdu]);
  await send(other, [regretted.pdu]);
  assert.deepEqual(await contentOf(regretted.eventId), {});
  for (const { eventId } of forged.slice(0, 2)) assert.equal(await contentOf(eventId), undefined);
  assert.deepEqual(server.errors, []);
});

test('what comes with the state of a room is redacted where a redaction of it came before', async (context) => {
  const { server, peer, before, make, path, joined, alice } = await open(context, 0, 0);
  const membership = { membership: 'join', displayname: 'regretted' };
  const renamed = make(1, { sender: mallory, state_key: mallory, type: 'm.room.member', content: membership }, before);
  const early = make(2, { sender: mallory, type: 'm.room.redaction', redacts: renamed.eventId }, before);
  await send(peer, [early.pdu]);
  const hidden = make(3, { sender: mallory, type: 'm.room.message', content: { body: 'hidden' } }, renamed.eventId);
  const behind = make(4, { sender: mallory, type: 'm.room.message', content: { body: 'behind' } }, hidden.eventId);
  const uri = `/_matrix/federation/v1/state_ids/${path}?event_id=${encodeURIComponent(before)}`;
  const { body: state } = (await peer.send('hs1', 'GET', uri)) as unknown as { body: { pdu_ids: string[] } };
  const ids = [...state.pdu_ids.filter((id) => id !== joined), renamed.eventId];
  const told = (pdus: readonly JsonObject[]) => ({ body: { origin: 'peer.test', origin_server_ts: 1, pdus } });
  peer.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
  peer.on('GET', '/_matrix/federation/v1/event/', ({ url: asked }) =>
    told([asked.includes(encodeURIComponent(hidden.eventId)) ? hidden.pdu : renamed.pdu]),
  );
  peer.on('GET', '/_matrix/federation/v1/state_ids/', () => ({ body: { ...state, pdu_ids: ids } }));
  await send(peer, [behind.pdu]);
  const member = `/_matrix/client/v3/rooms/${path}/state/m.room.member/${encodeURIComponent(mallory)}`;
  await until(async () => {
    const { body } = await alice.get(member);
    return body['displayname'] === undefined ? body : undefined;
  }, 'the name is redacted');
  assert.deepEqual((await alice.get(member)).body, { membership: 'join' });
  assert.deepEqual(server.errors, []);
});
