import assert from 'node:assert/strict';
import { join as joinPath } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite, type TestContext, test } from 'node:test';
import {
  eventIdOf,
  findRoomVersion,
  hashAndSignEvent,
  isJsonObject,
  type JsonObject,
  parseJson,
  policyKeyId,
  redactedText,
  signaturesOf,
  signingKeyFromSeed,
  signText,
  stickyField,
} from '@portico/protocol';
import { openPeer, type PeerAnswer } from '@portico/testkit/federation-peer.ts';
import { join, must, pathOf, say, sees } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { joinAs, sendTransaction } from './peer.ts';
import { meet } from './people.ts';

const rules = findRoomVersion('10');
const policyKey = signingKeyFromSeed(policyKeyId, new Uint8Array(32).fill(7));
const otherKey = signingKeyFromSeed(policyKeyId, new Uint8Array(32).fill(8));
const refusal: PeerAnswer = { status: 400, body: { errcode: 'M_FORBIDDEN', error: 'This is spam' } };

function signature(pdu: JsonObject, key = policyKey): PeerAnswer {
  assert.ok(rules);
  return { body: { 'peer.test': { [policyKeyId]: signText(key, redactedText(rules, pdu)) } } };
}

function textOf({ content }: JsonObject): unknown {
  return content !== undefined && isJsonObject(content) ? content['body'] : undefined;
}

/** Two servers in a room, whose policy server is a third one that does what a test says. */
async function openPoliced(context: TestContext) {
  const { network, alice, bob } = await meet(context);
  const peer = await openPeer(context, network, 'peer.test');
  const { body } = await alice.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', room_version: '10' });
  const roomId = String(body['room_id']);
  await join(bob, roomId, 'hs1');
  const path = encodeURIComponent(roomId);
  await joinAs(peer, path, '@ps:peer.test');
  peer.on('PUT', '/_matrix/federation/v1/send/', () => ({ body: { pdus: {} } }));
  const asked: { readonly pdu: JsonObject; readonly origin: string }[] = [];
  const rule = { answer: (pdu: JsonObject): PeerAnswer => signature(pdu) };
  peer.on('POST', '/_matrix/policy/v1/sign', (request) => {
    const pdu = parseJson(request.body) as JsonObject;
    asked.push({ pdu, origin: /origin="?([^",]+)/.exec(request.headers.authorization ?? '')?.[1] ?? '' });
    return rule.answer(pdu);
  });
  const setPolicy = async (content: object) =>
    String((await must(alice.put(pathOf(roomId, 'state/m.room.policy/'), content)))['event_id']);
  const eventId = await setPolicy({ via: 'peer.test', public_keys: { ed25519: policyKey.publicKey } });
  await sees(bob, roomId, eventId);
  assert.deepEqual(asked, [], 'the event that names the policy server is not shown to it');
  return { network, peer, alice, bob, roomId, path, asked, rule, setPolicy };
}

type Policed = Awaited<ReturnType<typeof openPoliced>>;

/** The event as another server gets it. */
async function pduOf({ peer }: Policed, eventId: string): Promise<JsonObject> {
  const { body } = await peer.send('hs1', 'GET', `/_matrix/federation/v1/event/${encodeURIComponent(eventId)}`);
  assert.ok(isJsonObject(body) && Array.isArray(body['pdus']), JSON.stringify(body));
  return body['pdus'][0] as JsonObject;
}

const keysOf = (pdu: JsonObject, server: string) => [...signaturesOf(pdu, server).keys()];

/** A message of somebody of the policy server's own, as that makes it. */
async function peerSays(policed: Policed, text: string, isSigned: boolean, more: JsonObject = {}) {
  const { peer, path } = policed;
  assert.ok(rules);
  const uri = `/_matrix/federation/v1/make_leave/${path}/${encodeURIComponent('@ps:peer.test')}`;
  const { body } = await peer.send('hs1', 'GET', uri);
  assert.ok(isJsonObject(body) && isJsonObject(body['event']), JSON.stringify(body));
  const { state_key: _, ...template } = body['event'];
  const event = { ...template, ...more, type: 'm.room.message', content: { msgtype: 'm.text', body: text } };
  const pdu = hashAndSignEvent(rules, event, 'peer.test', peer.key);
  const sent = isSigned ? hashAndSignWithPolicy(pdu) : pdu;
  const answer = await sendTransaction(peer, { pdus: [sent], edus: [] });
  assert.equal(answer.status, 200);
  return eventIdOf(rules, pdu);
}

function hashAndSignWithPolicy(pdu: JsonObject): JsonObject {
  assert.ok(rules);
  const own = (pdu['signatures'] as { 'peer.test': JsonObject })['peer.test'];
  const added = { ...own, [policyKeyId]: signText(policyKey, redactedText(rules, pdu)) };
  return { ...pdu, signatures: { 'peer.test': added } };
}

async function isSeen({ alice, roomId }: Policed, eventId: string): Promise<boolean> {
  const { body } = await alice.get(`${pathOf(roomId, 'messages')}?dir=b&limit=50`);
  return (body['chunk'] as { event_id: string }[]).some((event) => event.event_id === eventId);
}

suite('in a room with a policy server', () => {
  test('what people send is signed by it first, once, and each server sees that it was', async (context) => {
    const policed = await openPoliced(context);
    const { alice, bob, roomId, asked } = policed;
    const fromAlice = await say(alice, roomId, 'one');
    await sees(bob, roomId, fromAlice);
    const fromBob = await say(bob, roomId, 'two');
    await sees(alice, roomId, fromBob);
    assert.deepEqual(
      asked.map(({ pdu, origin }) => [textOf(pdu), origin]),
      [
        ['one', 'hs1'],
        ['two', 'hs2'],
      ],
    );
    for (const [eventId, server] of [
      [fromAlice, 'hs1'],
      [fromBob, 'hs2'],
    ] as const) {
      const pdu = await pduOf(policed, eventId);
      assert.deepEqual(keysOf(pdu, 'peer.test'), [policyKeyId]);
      assert.equal(keysOf(pdu, server).length, 1, 'its own signature is still there');
    }
    await must(alice.put(pathOf(roomId, 'state/m.room.topic/'), { topic: 'state, too' }));
    assert.equal(asked.length, 3);
  });

  test('what it refuses is not sent, and its words are told; a wrong signature is a refusal', async (context) => {
    const { alice, roomId, rule, asked } = await openPoliced(context);
    rule.answer = () => refusal;
    const sending = () => alice.put(pathOf(roomId, 'send/m.room.message/1'), { msgtype: 'm.text', body: 'buy' });
    const refused = await sending();
    assert.equal(refused.status, 403);
    assert.deepEqual(refused.body, { errcode: 'M_FORBIDDEN', error: 'This is spam' });
    for (const answer of [
      (pdu: JsonObject) => signature(pdu, otherKey),
      () => ({ body: {} }),
      () => ({ body: { 'peer.test': { 'ed25519:other': 'x' } } }),
    ]) {
      rule.answer = answer;
      const { status, body } = await sending();
      assert.equal(status, 403);
      assert.equal(body['errcode'], 'M_FORBIDDEN');
    }
    rule.answer = () => ({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Slower', retry_after_ms: 5000 } });
    assert.equal((await sending()).status, 429);
    const year = { errcode: 'M_LIMIT_EXCEEDED', error: 'Much slower', retry_after_ms: 365 * 86_400_000 };
    rule.answer = () => ({ status: 429, body: year });
    assert.equal((await sending()).body['retry_after_ms'], 60_000);
    rule.answer = () => ({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'Log in', soft_logout: true } });
    const ended = await sending();
    assert.deepEqual([ended.status, ended.body], [403, { errcode: 'M_FORBIDDEN', error: 'Log in' }]);
    rule.answer = (pdu) => signature(pdu);
    assert.equal((await sending()).status, 200, 'the room can still be written to');
    assert.equal(asked.length, 8);
  });

  test('events of other servers are taken with its signature, and soft failed without', async (context) => {
    const policed = await openPoliced(context);
    const { rule, asked } = policed;
    const signed = await peerSays(policed, 'signed', true);
    assert.equal(await isSeen(policed, signed), true);
    assert.equal(asked.length, 0, 'a signature that is there is enough');
    const unsigned = await peerSays(policed, 'unsigned', false);
    assert.equal(await isSeen(policed, unsigned), true, 'it is asked for');
    assert.deepEqual(
      keysOf(await pduOf(policed, unsigned), 'peer.test').toSorted(),
      [policyKeyId, policed.peer.key.keyId].toSorted(),
    );
    rule.answer = () => refusal;
    const spam = await peerSays(policed, 'spam', false);
    assert.equal(asked.length, 2);
    assert.equal(await isSeen(policed, spam), false);
    const next = await peerSays(policed, 'next', true);
    assert.equal(await isSeen(policed, next), true);
  });

  test('what it refuses is not sticky', async (context) => {
    const policed = await openPoliced(context);
    const sticky = { [stickyField]: { duration_ms: 300_000 } };
    const taken = await peerSays(policed, 'signed', true, sticky);
    assert.equal(await isSeen(policed, taken), true);
    policed.rule.answer = () => refusal;
    const spam = await peerSays(policed, 'spam', false, sticky);
    assert.equal(await isSeen(policed, spam), false);
    const { network } = policed;
    const database = new DatabaseSync(joinPath(network.server('hs1').dataDir, 'portico.db'), { readOnly: true });
    try {
      const rows = database.prepare('select e.event_id from sticky_events s join events e using (event_nid)').all();
      assert.deepEqual(
        rows.map((row) => row['event_id']),
        [taken],
      );
    } finally {
      database.close();
    }
  });

  test('many send at once, and nobody is in the way of anybody', async (context) => {
    const policed = await openPoliced(context);
    const { alice, bob, roomId, asked } = policed;
    const all = await Promise.all(
      Array.from({ length: 24 }, (_, index) => say(index % 3 === 0 ? bob : alice, roomId, `number ${index}`)),
    );
    for (const eventId of all) await Promise.all([sees(alice, roomId, eventId), sees(bob, roomId, eventId)]);
    assert.ok(asked.length >= all.length && asked.length <= 3 * all.length, `${asked.length} questions`);
  });

  test('somebody of another server is invited with its consent only', async (context) => {
    const { network, alice, roomId, rule, asked } = await openPoliced(context);
    const carol = await network.server('hs2').registerUser('carol');
    rule.answer = () => refusal;
    const invite = () => alice.post(pathOf(roomId, 'invite'), { user_id: carol.userId });
    assert.equal((await invite()).status, 403);
    const invited = async () => {
      const { body } = await carol.get('/_matrix/client/v3/sync');
      return (body as { rooms?: { invite?: object } }).rooms?.invite;
    };
    assert.equal(await invited(), undefined, 'her server has not heard of it');
    rule.answer = (pdu) => signature(pdu);
    assert.equal((await invite()).status, 200);
    assert.equal(asked.length, 2);
    await until(invited, 'she is invited');
  });

  test('it does not count once it has left, or is no longer named', async (context) => {
    const policed = await openPoliced(context);
    const { alice, peer, path, roomId, rule, asked, setPolicy } = policed;
    rule.answer = () => ({ status: 500, body: {} });
    const refused = await alice.put(pathOf(roomId, 'send/m.room.message/1'), { msgtype: 'm.text', body: 'x' });
    assert.equal(refused.status, 502);
    const again = await alice.put(pathOf(roomId, 'send/m.room.message/2'), { msgtype: 'm.text', body: 'x' });
    assert.equal(again.status, 502);
    assert.equal(asked.length, 1, 'who does not answer is left alone for a while');
    await setPolicy({});
    await say(alice, roomId, 'free');
    await setPolicy({ via: 'peer.test', public_keys: { ed25519: policyKey.publicKey } });
    const uri = `/_matrix/federation/v1/make_leave/${path}/${encodeURIComponent('@ps:peer.test')}`;
    const { body } = await peer.send('hs1', 'GET', uri);
    assert.ok(rules && isJsonObject(body) && isJsonObject(body['event']));
    const pdu = hashAndSignWithPolicy(hashAndSignEvent(rules, body['event'], 'peer.test', peer.key));
    const leave = `/_matrix/federation/v2/send_leave/${path}/${encodeURIComponent(eventIdOf(rules, pdu))}`;
    assert.equal((await peer.send('hs1', 'PUT', leave, { content: pdu })).status, 200);
    await say(alice, roomId, 'free again');
    assert.equal(asked.length, 1);
  });
});
