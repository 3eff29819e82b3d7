import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { must, pathOf, say } from '@portico/testkit/people.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { joinAs, openWithPeer, send, sign } from './peer.ts';

const mallory = '@mallory:peer.test';
const puppet = '@puppet:accomplice.test';
const nobodys = `$${'z'.repeat(43)}`;

type StateEvents = readonly { readonly type: string; readonly state_key: string; readonly event_id: string }[];

for (const end of ['leaves', 'is demoted'] as const) {
  for (const isTold of [false, true]) {
    test(`who was banned by a moderator that ${end} stays so${isTold ? ' where a state was told' : ''}`, async (context) => {
      const { network, server, peer: hostile, alice, roomId, path } = await openWithPeer(context);
      const accomplice = await openPeer(context, network, 'accomplice.test');
      const bob = await server.registerUser('bob');
      await must(bob.post(`/_matrix/client/v3/join/${path}`, {}));
      const levels = (level: number) => ({ users: { [alice.userId]: 100, [bob.userId]: level } });
      await must(alice.put(pathOf(roomId, 'state/m.room.power_levels/'), levels(50)));
      const { eventId: tip, depth } = await joinAs(hostile, path, mallory);
      await joinAs(accomplice, path, puppet);
      const stateOf = async () => (await must(alice.get(pathOf(roomId, 'state')))) as unknown as StateEvents;
      const state = await stateOf();
      const idIn = (events: StateEvents, type: string, stateKey = '') =>
        events.find((each) => each.type === type && each.state_key === stateKey)?.event_id ?? '';
      const make = (peer: typeof hostile, sender: string, place: number, auth: readonly string[], over: JsonObject) =>
        sign(peer, {
          type: 'm.room.message',
          room_id: roomId,
          sender,
          content: { body: `${place}` },
          depth: depth + place,
          origin_server_ts: Date.now(),
          auth_events: [idIn(state, 'm.room.create'), ...auth],
          ...over,
        });
      const join = idIn(state, 'm.room.member', mallory);
      const old = idIn(state, 'm.room.power_levels');
      if (isTold) {
        const hidden = make(hostile, mallory, 3, [old, join], { prev_events: [tip, nobodys] });
        const first = make(hostile, mallory, 4, [old, join], { prev_events: [hidden.eventId] });
        const ids = state.map((each) => each.event_id);
        hostile.on('POST', '/_matrix/federation/v1/get_missing_events', () => ({ body: { events: [] } }));
        hostile.on('GET', '/_matrix/federation/v1/event/', () => ({
          body: { origin: 'peer.test', origin_server_ts: 1, pdus: [hidden.pdu] },
        }));
        hostile.on('GET', '/_matrix/federation/v1/state_ids/', () => ({
          body: { pdu_ids: ids, auth_chain_ids: ids },
        }));
        await send(hostile, [first.pdu]);
        assert.equal((await alice.get(pathOf(roomId, `event/${encodeURIComponent(first.eventId)}`))).status, 200);
      }
      await must(bob.post(pathOf(roomId, 'ban'), { user_id: mallory }));
      if (end === 'leaves') await must(bob.post(pathOf(roomId, 'leave'), {}));
      else await must(alice.put(pathOf(roomId, 'state/m.room.power_levels/'), levels(0)));
      const last = await say(alice, roomId, 'quiet at last');
      const now = await stateOf();
      const power = idIn(now, 'm.room.power_levels');
      const content = { body: 'x'.repeat(50_000) };
      const back = make(hostile, mallory, 20, [power, join], { prev_events: [last], content });
      await send(hostile, [back.pdu]);
      const database = await openRawDatabase(server.databaseUrl);
      context.after(() => database.close());
      assert.deepEqual(
        (await database.run('select content from events where event_id = $1', [back.eventId])).map(
          (row) => row['content'],
        ),
        ['{}'],
      );
      const uri = `/_matrix/federation/v1/event/${encodeURIComponent(back.eventId)}`;
      assert.equal((await accomplice.send('hs1', 'GET', uri)).status, 404);
      const after = make(accomplice, puppet, 21, [power, idIn(now, 'm.room.member', puppet)], {
        prev_events: [back.eventId],
      });
      await send(accomplice, [after.pdu]);
      assert.equal((await alice.get(pathOf(roomId, `event/${encodeURIComponent(after.eventId)}`))).status, 200);
      assert.equal(
        (await must(alice.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(mallory)}`))))['membership'],
        'ban',
      );
    });
  }
}
