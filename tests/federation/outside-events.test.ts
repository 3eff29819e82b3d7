import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { contentOf, must, pathOf } from '@portico/testkit/people.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { errcodeOf, joinAs, openWithPeer, send, sign } from './peer.ts';

const [mallory, mel] = ['@mallory:peer.test', '@mel:peer.test'];

suite('events that are not let in', { concurrency: true }, () => {
  for (const engine of ['sqlite', 'postgres'] as const) {
    test(`are known for good, but not what they say (${engine})`, async (context) => {
      const { server, peer, alice, roomId, path } = await openWithPeer(context, engine);
      const [first, second] = [await joinAs(peer, path, mallory), await joinAs(peer, path, mel)];
      await must(alice.post(pathOf(roomId, 'ban'), { user_id: mallory }));
      const [create, powerLevels] = first.template['auth_events'] as string[];
      const event = (sender: string, joined: string, previous: readonly string[], over: JsonObject) =>
        sign(peer, {
          type: 'm.room.message',
          room_id: roomId,
          sender,
          content: { body: 'x'.repeat(50_000) },
          depth: second.depth + 1,
          origin_server_ts: Date.now(),
          prev_events: [...previous],
          auth_events: [create ?? '', powerLevels ?? '', joined],
          ...over,
        });
      const spam = event(mallory, first.eventId, [first.eventId], {});
      const name = { type: 'm.room.name', state_key: '', content: { name: 'x'.repeat(50_000) } };
      const forged = event(mel, second.eventId, [second.eventId], name);
      await send(peer, [spam.pdu, forged.pdu]);
      // Once it is known, it is not taken again.
      await send(peer, [spam.pdu]);

      const database = await openRawDatabase(server.databaseUrl);
      context.after(() => database.close());
      const stored = (eventId: string) =>
        database.run(
          `select status, content, length(before_content) + length(after_content) < 2000 as is_short from events
           where event_id = $1`,
          [eventId],
        );
      for (const [{ eventId }, status] of [
        [spam, 1],
        [forged, 2],
      ] as const) {
        const [row, ...others] = await stored(eventId);
        assert.deepEqual(
          [Number(row?.['status']), row?.['content'], Boolean(row?.['is_short']), others.length],
          [status, '{}', true, 0],
        );
        const answer = await peer.send('hs1', 'GET', `/_matrix/federation/v1/event/${encodeURIComponent(eventId)}`);
        assert.equal(`${answer.status} ${errcodeOf(answer.body)}`, '404 M_NOT_FOUND');
      }

      const before = peer.requests.length;
      for (const outside of [spam, forged]) {
        const over = { content: { body: `on top of ${outside.eventId}` }, depth: second.depth + 2 };
        const onTop = event(mel, second.eventId, [outside.eventId, second.eventId], over);
        await send(peer, [onTop.pdu]);
        assert.deepEqual(await contentOf(alice, roomId, onTop.eventId), over.content);
      }
      assert.deepEqual(
        peer.requests.slice(before).filter((request) => request.startsWith('GET') || request.includes('missing')),
        [],
        'nothing is asked for again',
      );
      for (const { eventId } of [spam, forged]) assert.equal(await contentOf(alice, roomId, eventId), undefined);
    });
  }
});
