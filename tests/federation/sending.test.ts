import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '@portico/protocol';
import type { FederationPeer } from '@portico/testkit/federation-peer.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { say, sees, join as joinRoom } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { joinAs, openWithPeer, startSecondProcess } from './peer.ts';

type Sent = {
  readonly origin: unknown;
  readonly txnId: string;
  readonly messages: readonly unknown[];
  readonly toDevice: readonly unknown[];
};

function bodyOf(pdu: JsonValue): unknown {
  const content = isJsonObject(pdu) ? pdu['content'] : undefined;
  return isJsonObject(content) ? content['body'] : undefined;
}

/** The `n` of a message to the device that these tests send to. */
function numberOf(edu: JsonValue): unknown {
  const { messages } = (isJsonObject(edu) ? edu['content'] : {}) as { messages?: JsonObject };
  return (messages as Record<string, Record<string, { n: number }>> | undefined)?.['@mallory:peer.test']?.['*']?.n;
}

/** Reads what a peer is sent; `answer` says how it takes it. */
function listen(peer: FederationPeer, answer: (sent: Sent) => Promise<number> | number): Sent[] {
  const all: Sent[] = [];
  peer.on('PUT', '/_matrix/federation/v1/send/', async ({ url, body }) => {
    const { origin, pdus, edus } = parseJson(body) as { origin: JsonValue; pdus: JsonValue[]; edus: JsonValue[] };
    const sent = {
      origin,
      txnId: url.slice(url.lastIndexOf('/') + 1),
      messages: pdus.map(bodyOf).filter((text) => text !== undefined),
      toDevice: edus.map(numberOf).filter((n) => n !== undefined),
    };
    all.push(sent);
    return { status: await answer(sent), body: { pdus: {} } };
  });
  return all;
}

let transactions = 0;
async function tell(by: TestClient, n: number): Promise<void> {
  const messages = { '@mallory:peer.test': { '*': { n } } };
  const { status } = await by.put(`/_matrix/client/v3/sendToDevice/m.test/s${transactions++}`, { messages });
  assert.equal(status, 200);
}

function hang(context: TestContext): Promise<number> {
  return new Promise((resolve) => context.after(() => resolve(500)));
}

const has = (all: readonly Sent[], what: 'messages' | 'toDevice', value: unknown) => async () =>
  all.some((sent) => sent[what].includes(value)) ? true : undefined;

test('a server that takes what it is sent need not say more', async (context) => {
  const { peer, alice, path } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  const all: unknown[] = [];
  peer.on('PUT', '/_matrix/federation/v1/send/', ({ body }) => {
    all.push(...(parseJson(body) as { pdus: JsonValue[] }).pdus.map(bodyOf));
    return { body: {} };
  });
  const roomId = decodeURIComponent(path);
  for (const text of ['first', 'second', 'third']) {
    await say(alice, roomId, text);
    await until(() => Promise.resolve(all.includes(text) ? true : undefined), `${text} is sent`);
  }
  assert.equal(all.filter((text) => text === 'first').length, 1);
});

test('a server that hangs keeps nothing from the others', async (context) => {
  const { peer, alice, roomId, path, network } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  const taken = listen(peer, () => hang(context));
  await network.add('hs2');
  const bob = await network.server('hs2').registerUser('bob');
  await joinRoom(bob, roomId, 'hs1');
  await until(async () => taken.some(({ origin }) => origin === 'hs1') || undefined, 'the peer hangs');
  for (let count = 0; count < 3; count++) await sees(bob, roomId, await say(alice, roomId, `message ${count}`));
  const fromHome = taken.filter(({ origin }) => origin === 'hs1');
  assert.equal(fromHome.length, 1, 'and has one transaction at a time');
});

test('what has to be known to send to a server is found out when it is let into a room', async (context) => {
  const { peer, path, server, network } = await openWithPeer(context, 'sqlite', { PRESENCE_ENABLED: 'false' });
  // The new device has been told of by then, to nobody.
  await network.stop('hs1');
  await network.start('hs1');
  const database = await openRawDatabase(server.databaseUrl);
  context.after(() => database.close());
  await joinAs(peer, path, '@mallory:peer.test');
  await until(async () => {
    const [row] = await database.run('select claimed_by from federation_destinations where host = $1', ['peer.test']);
    return row?.['claimed_by'] ?? undefined;
  }, 'this process sends to the server, before there is anything for it');
});

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a transaction that was under way is repeated as it was after a restart (${engine})`, async (context) => {
    const { peer, alice, path, network, roomId } = await openWithPeer(context, engine);
    await joinAs(peer, path, '@mallory:peer.test');
    let answer = (): Promise<number> | number => hang(context);
    const all = listen(peer, () => answer());
    await tell(alice, 1);
    await until(has(all, 'toDevice', 1), 'the first one is under way');
    await tell(alice, 2);
    await say(alice, roomId, 'hello');
    await network.stop('hs1');
    answer = () => 200;
    const before = all.length;
    await network.start('hs1');
    await until(has(all, 'toDevice', 2), 'the second one is there');
    await until(has(all, 'messages', 'hello'), 'the message is there');
    const [first, again, ...rest] = [all[0], ...all.slice(before)];
    assert.deepEqual(again, first);
    assert.deepEqual(
      rest.flatMap(({ toDevice }) => toDevice),
      [2],
    );
  });
}

test('what a server will not take keeps nothing else from it', { timeout: 60_000 }, async (context) => {
  const { peer, alice, roomId, path } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  const all = listen(peer, ({ messages }) => (messages.includes('poison') ? 400 : 200));
  await say(alice, roomId, 'poison');
  await until(has(all, 'messages', 'poison'), 'it is refused');
  await say(alice, roomId, 'wholesome');
  const isThere = async () => (((await has(all, 'messages', 'wholesome')()) ?? false) ? true : undefined);
  await until(isThere, 'the other one is there', 50_000);
});

test('a server that asks for anything is sent what waits for it, whatever it said before', async (context) => {
  const { peer, alice, roomId, path } = await openWithPeer(context);
  await joinAs(peer, path, '@mallory:peer.test');
  let status = 503;
  const got: unknown[] = [];
  peer.on('PUT', '/_matrix/federation/v1/send/', ({ body }) => {
    got.push(...(parseJson(body) as { pdus: JsonValue[] }).pdus.map((pdu) => `${status} ${String(bodyOf(pdu))}`));
    return { status, body: status === 200 ? { pdus: {} } : { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 3_600_000 } };
  });
  await say(alice, roomId, 'hello');
  await until(() => got.includes('503 hello'), 'it wants none of it for an hour');
  status = 200;
  await peer.send('hs1', 'GET', `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(alice.userId)}`);
  await until(() => got.includes('200 hello'), 'it is asked again');
});

test('of two processes one sends, and the other one when that is gone', { timeout: 90_000 }, async (context) => {
  const { peer, server, alice, roomId, path, network } = await openWithPeer(context, 'postgres');
  await joinAs(peer, path, '@mallory:peer.test');
  const all = listen(peer, () => 200);
  const second = await startSecondProcess(context, server, network);
  const there = second.as(alice);
  for (let n = 0; n < 10; n++) {
    await say(n % 2 === 0 ? alice : there, roomId, `message ${n}`);
    await tell(n % 2 === 0 ? there : alice, n);
  }
  const expected = Array.from({ length: 10 }, (_, n) => n);
  await until(has(all, 'messages', 'message 9'), 'the last message is there');
  await until(has(all, 'toDevice', 9), 'the last one for the device is there');
  assert.deepEqual(
    all.flatMap(({ messages }) => messages),
    expected.map((n) => `message ${n}`),
  );
  assert.deepEqual(
    all.flatMap(({ toDevice }) => toDevice),
    expected,
  );

  await network.stop('hs1');
  await say(there, roomId, 'still here');
  await until(has(all, 'messages', 'still here'), 'the other one has taken over');
  assert.deepEqual(second.errors, []);
});
