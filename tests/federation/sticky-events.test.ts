import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { stickyType, type SyncBody } from '@portico/testkit/sync-client.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { createRoom, join, must, pathOf, say, sees } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { meet, sync } from './people.ts';

let transactions = 0;
async function stick(client: TestClient, roomId: string, body: string, duration = 300_000): Promise<string> {
  const query = `org.matrix.msc4354.sticky_duration_ms=${duration}`;
  const path = pathOf(roomId, `send/${stickyType}/s${transactions++}?${query}`);
  return String((await must(client.put(path, { body })))['event_id']);
}

/** What a client is told of a room, in the timeline or beside it. */
function told({ rooms }: SyncBody, roomId: string): readonly string[] {
  const { timeline, msc4354_sticky: sticky } = rooms?.join?.[roomId] ?? {};
  return [...(timeline?.events ?? []), ...(sticky?.events ?? [])].map((event) => event.event_id);
}

/** Waits until a client that syncs from somewhere on has been told of events; all that it was told. */
async function hears(client: TestClient, roomId: string, wanted: readonly string[], since?: string) {
  const heard: string[] = [];
  let from = since;
  return until(async () => {
    const answer = await sync(client, from);
    from = answer.next_batch;
    heard.push(...told(answer, roomId));
    return wanted.every((eventId) => heard.includes(eventId)) ? heard : undefined;
  }, `${client.userId} is told of ${wanted.join()}`);
}

suite('sticky events between servers', { concurrency: true }, () => {
  for (const engine of ['sqlite', 'postgres'] as const) {
    test(`come to a server that joins, whatever the history visibility, and nothing else of the past does (${engine})`, async (context) => {
      const network = await startTestNetwork(['hs1', 'hs2'], { engine });
      context.after(() => network.close());
      const alice = await network.server('hs1').registerUser('alice');
      const bob = await network.server('hs2').registerUser('bob');
      const roomId = await createRoom(alice);
      await must(alice.put(pathOf(roomId, 'state/m.room.history_visibility/'), { history_visibility: 'joined' }));
      const past = [await say(alice, roomId, 'a secret')];
      const sticky = [await stick(alice, roomId, 'one')];
      const ended = await stick(alice, roomId, 'ended', 1);
      past.push(ended, await say(alice, roomId, 'another'));
      sticky.push(await stick(alice, roomId, 'two'));
      past.push(await say(alice, roomId, 'and a third'));
      const { next_batch: since } = await sync(bob);
      await join(bob, roomId, 'hs1');

      const heard = await hears(bob, roomId, sticky, since);
      assert.deepEqual(
        past.filter((eventId) => heard.includes(eventId)),
        [],
      );
      assert.equal(new Set(heard).size, heard.length, 'each is told once');
      const [first = ''] = sticky;
      assert.deepEqual(await sees(bob, roomId, first), { body: 'one' });
      // Another one of that server who joins later is told as well.
      const carol = await network.server('hs2').registerUser('carol');
      await join(carol, roomId, 'hs1');
      await hears(carol, roomId, sticky);
      // The past is no branch of the room: what is said on top of it goes both ways.
      const [hello, back] = [await say(bob, roomId, 'hello'), await say(alice, roomId, 'hello yourself')];
      await Promise.all([sees(alice, roomId, hello), sees(bob, roomId, back)]);
      const filter = encodeURIComponent(JSON.stringify({ event_format: 'federation' }));
      const { body } = await bob.get(`/_matrix/client/v3/sync?filter=${filter}`);
      const { rooms } = body as unknown as SyncBody;
      const pdus = (rooms?.join?.[roomId]?.timeline.events ?? []) as unknown as { prev_events: string[] }[];
      const followed = new Set(pdus.flatMap(({ prev_events: previous }) => previous));
      assert.ok(pdus.length >= 4);
      assert.deepEqual(
        sticky.filter((eventId) => followed.has(eventId)),
        [],
      );
      const later = await stick(bob, roomId, 'from the other side');
      await hears(alice, roomId, [later]);
    });
  }

  test('still come to a server that joined just before this one ended', async (context) => {
    const network = await startTestNetwork(['hs1', 'hs2']);
    context.after(() => network.close());
    const alice = await network.server('hs1').registerUser('alice');
    const bob = await network.server('hs2').registerUser('bob');
    const roomId = await createRoom(alice);
    const sticky: string[] = [];
    for (let index = 0; index < 60; index++) sticky.push(await stick(alice, roomId, String(index)));
    await join(bob, roomId, 'hs1');
    await network.stop('hs1');
    await network.start('hs1');
    await hears(bob, roomId, sticky);
  });

  test('of somebody who was taken for banned are looked at once more when they are not', async (context) => {
    const { network, alice, bob, roomId } = await meet(context);
    const { next_batch: since } = await sync(alice);
    network.cut('hs1', 'hs2');
    await must(alice.post(pathOf(roomId, 'ban'), { user_id: bob.userId }));
    const sticky = await stick(bob, roomId, 'sticky');
    const plain = await say(bob, roomId, 'plain');
    network.healAll();
    // The next thing that the server tells is received after what it told before.
    const marker = await createRoom(bob, { invite: [alice.userId] });
    await until(
      async () => ((await sync(alice)).rooms?.invite?.[marker] === undefined ? undefined : true),
      'the servers reach each other',
    );
    await sees(bob, roomId, sticky);
    const banned = await until(async () => {
      const { status, body } = await bob.get(pathOf(roomId, 'joined_members'));
      return status === 403 ? body : undefined;
    }, 'bob hears of the ban');
    assert.equal(banned['errcode'], 'M_FORBIDDEN');
    assert.ok(!told(await sync(alice, since), roomId).includes(sticky));

    await must(alice.post(pathOf(roomId, 'unban'), { user_id: bob.userId }));
    await until(async () => {
      const path = `/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=hs1`;
      return (await bob.post(path, {})).status === 200 ? true : undefined;
    }, 'bob is back');
    const heard = await hears(alice, roomId, [sticky], since);
    assert.ok(!heard.includes(plain), 'what is not sticky stays what it was');
  });
});
