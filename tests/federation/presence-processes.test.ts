import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { say } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { joinAs, openWithPeer, startSecondProcess } from './peer.ts';

test('the process that comes after the one that sent says who is offline', { timeout: 120_000 }, async (context) => {
  const { peer, server, alice, roomId, path, network } = await openWithPeer(context, 'postgres');
  const seen: string[] = [];
  const refused: string[] = [];
  let [isReachable, transactions] = [true, 0];
  peer.on('PUT', '/_matrix/federation/v1/send/', ({ body }) => {
    transactions += 1;
    const { edus = [] } = JSON.parse(body) as { edus?: { edu_type: string; content: JsonObject }[] };
    const pushes = edus.flatMap(({ content }) => (content['push'] ?? []) as JsonObject[]);
    (isReachable ? seen : refused).push(...pushes.map(({ presence }) => presence as string));
    return { status: isReachable ? 200 : 500, body: { pdus: {} } };
  });
  await joinAs(peer, path, '@mallory:peer.test');
  await say(alice, roomId, 'hello');
  await until(async () => transactions || undefined, 'the first process sends to the other server');
  const second = await startSecondProcess(context, server, network);
  const status = `/_matrix/client/v3/presence/${encodeURIComponent(alice.userId)}/status`;
  const there = second.as(alice);
  assert.equal((await there.put(status, { presence: 'online' })).status, 200);
  await until(async () => seen.includes('online') || undefined, 'the other server is told that she is online');

  isReachable = false;
  assert.equal((await there.put(status, { presence: 'offline' })).status, 200);
  await until(async () => refused.includes('offline') || undefined, 'that she is offline is under way');
  await network.stop('hs1');
  isReachable = true;
  await until(async () => seen.includes('offline') || undefined, 'it arrives all the same', 60_000);
  assert.deepEqual(second.errors, []);
});
