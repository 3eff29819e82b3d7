import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWriteSet, sql } from '@portico/storage';
import { alice, bob, deliver, newPdus, partition } from '@portico/testkit/partition.ts';
import { joinRoom } from './join-room.ts';

const selectNid = sql<{ room_nid: number }, [roomId: string]>(
  'test.join-room.nid',
  'select room_nid from rooms where room_id = $1',
);

/* The two servers of a partition have begun as one. */
const markElsewhere = sql<void, [userId: string]>(
  'test.join-room.elsewhere',
  'update memberships set is_local = 0 where user_id = $1',
);

test('who is let in by nobody here is, if the power to do so comes while other servers are asked', async (context) => {
  const { a, b, roomId } = await partition(context, '11');
  const dora = { userId: '@dora:b', deviceId: 'D' };
  const space = await b.rooms.create(bob, { preset: 'public_chat' });
  await b.rooms.join(dora, space, { reason: undefined, via: [] });
  const set = createWriteSet();
  set.add(markElsewhere, [alice.userId]);
  await b.db.commit(set);
  let told = a.db.currentPosition();
  const tell = async (): Promise<void> => {
    const outcomes = await deliver(await newPdus(a, roomId, told), b, roomId, '11');
    assert.ok(outcomes.length > 0 && outcomes.every((outcome) => outcome === 'accepted'), outcomes.join());
    told = a.db.currentPosition();
  };
  const power = (level: number) =>
    a.rooms.setState(alice, roomId, 'm.room.power_levels', '', {
      invite: 60,
      users: { [alice.userId]: 100, [bob.userId]: level },
    });
  const allow = [{ type: 'm.room_membership', room_id: space }];
  await a.rooms.setState(alice, roomId, 'm.room.join_rules', '', { join_rule: 'restricted', allow });
  await power(50);
  await tell();

  const { room_nid: roomNid } = (await b.db.get(selectNid, [roomId])) ?? { room_nid: 0 };
  const join = (joinElsewhere: () => Promise<boolean>) => {
    const { writer, readState } = b.rooms;
    const deps = { db: b.db, writer, readState, serverName: 'b', joinElsewhere };
    return joinRoom(deps, roomNid, dora.userId, { profile: {}, reason: undefined });
  };
  await assert.rejects(
    join(() => Promise.resolve(false)),
    { reason: 'join.unable-to-grant' },
  );
  await join(async () => {
    await power(60);
    await tell();
    return false;
  });
  const { state } = await b.rooms.readState(roomNid, [['m.room.member', dora.userId]]);
  const content = { membership: 'join', join_authorised_via_users_server: bob.userId };
  assert.deepEqual({ ...state('m.room.member', dora.userId)?.content }, content);
});
