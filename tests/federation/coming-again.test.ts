import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { type FederationPeer, openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { join, must, pathOf } from '@portico/testkit/people.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

type Engine = 'sqlite' | 'postgres';

/** Somebody who has left a room of a peer. That is being told to the peer, which keeps silent until it may speak. */
async function leave(context: TestContext, { engine = 'sqlite', status = 200 }: { engine?: Engine; status?: number }) {
  const network = await startTestNetwork(['hs1'], { engine });
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const log: string[] = [];
  /** Notes what the peer is asked before it answers. */
  const on: FederationPeer['on'] = (method, path, handler) =>
    peer.on(method, path, (request) => {
      const [, asked] = /\/((?:make|send)_\w+)\//.exec(path) ?? [];
      if (asked !== undefined) log.push(asked);
      return handler(request);
    });
  const room = createPeerRoom({ ...peer, on });
  room.serve();
  const mayAnswer = Promise.withResolvers<void>();
  peer.on('PUT', '/_matrix/federation/v1/send/', async ({ body }) => {
    const transaction = parseJson(body);
    assert.ok(isJsonObject(transaction));
    const left = (transaction['pdus'] as readonly JsonObject[]).at(-1);
    log.push('is told');
    await mayAnswer.promise;
    log.push('answers');
    if (left !== undefined && status === 200) room.follow(left);
    return { status, body: { pdus: {} } };
  });
  const alice = await network.server('hs1').registerUser('alice');
  await join(alice, room.roomId, peer.serverName);
  log.splice(0);
  await must(alice.post(pathOf(room.roomId, 'leave'), {}));
  await until(() => log.includes('is told'), 'the peer is told');
  return { peer, on, room, alice, log, mayAnswer };
}

/** Until the server has had time for what it would do at once; or something has come of it. */
async function serve(client: TestClient, log: readonly string[]): Promise<void> {
  const { length } = log;
  for (let asked = 0; asked < 20 && log.length === length; asked += 1) {
    await must(client.get('/_matrix/client/v3/account/whoami'));
  }
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a server is asked to let somebody in again once it knows that they left (${engine})`, async (context) => {
    const { peer, room, alice, log, mayAnswer } = await leave(context, { engine });
    const joining = join(alice, room.roomId, peer.serverName);
    await serve(alice, log);
    mayAnswer.resolve();
    await joining;
    assert.deepEqual(log, ['is told', 'answers', 'make_join', 'send_join']);
  });
}

test('a server is asked to take a knock once it knows that who knocks has left', async (context) => {
  const { peer, on, room, alice, log, mayAnswer } = await leave(context, {});
  on('GET', '/_matrix/federation/v1/make_knock/', () => ({ status: 403, body: { errcode: 'M_FORBIDDEN' } }));
  const path = `/_matrix/client/v3/knock/${encodeURIComponent(room.roomId)}?via=${peer.serverName}`;
  const knocking = alice.post(path, {});
  await serve(alice, log);
  mayAnswer.resolve();
  assert.equal((await knocking).status, 403);
  assert.deepEqual(log, ['is told', 'answers', 'make_knock']);
});

test('a server that does not take what it is sent is asked all the same', async (context) => {
  const { peer, room, alice, log, mayAnswer } = await leave(context, { status: 500 });
  const joining = join(alice, room.roomId, peer.serverName);
  await serve(alice, log);
  mayAnswer.resolve();
  await joining;
  // By now it is left alone for a while; somebody wants something else of it.
  await must(alice.post(pathOf(room.roomId, 'leave'), {}));
  log.splice(0);
  await join(alice, room.roomId, peer.serverName);
  assert.deepEqual(log, ['is told', 'answers', 'make_join', 'send_join']);
});
