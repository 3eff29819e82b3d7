import assert from 'node:assert/strict';
import { test } from 'node:test';
import { say } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { joinAs, openWithPeer, startSecondProcess } from './peer.ts';

test('other servers hear who types at whichever process', { timeout: 120_000 }, async (context) => {
  const { peer, server, alice, roomId, path, network } = await openWithPeer(context, 'postgres');
  const heard: string[] = [];
  const texts: string[] = [];
  peer.on('PUT', '/_matrix/federation/v1/send/', ({ body }) => {
    const { edus = [], pdus } = JSON.parse(body) as {
      edus?: { edu_type: string; content: { user_id: string; room_id: string; typing: boolean } }[];
      pdus: { content: { body?: string } }[];
    };
    texts.push(...pdus.map(({ content }) => content.body ?? ''));
    for (const { edu_type: type, content } of edus) {
      if (type === 'm.typing') heard.push(`${content.user_id} ${content.room_id === roomId} ${content.typing}`);
    }
    return { status: 200, body: { pdus: {} } };
  });
  await joinAs(peer, path, '@mallory:peer.test');
  const second = await startSecondProcess(context, server, network);
  // One process sends to the other server, whichever it is.
  await say(alice, roomId, 'hello');
  await until(() => texts.includes('hello'), 'one of them sends');
  const typing = `/_matrix/client/v3/rooms/${path}/typing/${encodeURIComponent(alice.userId)}`;
  const [one, other] = [alice, second.as(alice)];
  for (const [begin, end] of [
    [one, one],
    [other, other],
    [one, other],
    [other, one],
  ] as const) {
    for (const [there, isTyping] of [
      [begin, true],
      [end, false],
    ] as const) {
      heard.length = 0;
      assert.equal((await there.put(typing, { typing: isTyping })).status, 200);
      await until(() => heard.length > 0, 'the other server hears of it');
      assert.deepEqual(heard, [`${alice.userId} true ${isTyping}`]);
    }
  }
  assert.deepEqual([...server.errors, ...second.errors], []);
});
