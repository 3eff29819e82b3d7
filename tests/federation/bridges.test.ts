import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startTestBridge } from '@portico/testkit/bridge.ts';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { send } from './peer.ts';

const ghost = '@_ghost_a:hs1';
const v3 = '/_matrix/client/v3';

/** A server with a bridge, and a room of another server, who may invite people of this one. */
async function open(context: TestContext, engine: 'sqlite' | 'postgres' = 'sqlite') {
  const bridge = await startTestBridge();
  context.after(() => bridge.close());
  const settings = { APPLICATION_SERVICES: JSON.stringify([bridge.file]) };
  const network = await startTestNetwork(['hs1'], { engine, settings });
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'peer.test');
  const as = network.server('hs1').as({ userId: '@_bot:hs1', accessToken: bridge.asToken, deviceId: '' });
  const room = createPeerRoom(peer, { version: '11', joinRule: 'invite' });
  const memberEvent = (userId: string, membership: string) =>
    room.add({ type: 'm.room.member', stateKey: userId, sender: room.founder, content: { membership } });
  return {
    bridge,
    peer,
    room,
    memberEvent,
    errors: network.server('hs1').errors,
    as,
    makeGhost: (username: string) =>
      as.post(`${v3}/register`, { type: 'm.login.application_service', username, inhibit_login: true }),
    async invite(userId: string) {
      const { eventId, pdu } = memberEvent(userId, 'invite');
      const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(room.roomId)}/${encodeURIComponent(eventId)}`;
      const state = [room.state.get('m.room.create '), room.state.get('m.room.join_rules ')];
      const content = {
        room_version: '11',
        event: JSON.parse(pdu),
        invite_room_state: state.map((event) => JSON.parse(event?.pdu ?? '{}')),
      };
      const { status } = await peer.send('hs1', 'PUT', uri, { content });
      return { status, eventId };
    },
    memberships: (userId: string) =>
      bridge.events
        .filter(({ state_key: key, room_id: id }) => key === userId && id === room.roomId)
        .map(({ event_id: eventId, content: { membership } }) => [eventId, membership]),
  };
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a bridge hears of invitations from other servers, and what becomes of them (${engine})`, async (context) => {
    const { bridge, peer, as, makeGhost, invite, memberEvent, memberships, errors } = await open(context, engine);
    assert.equal((await makeGhost('_ghost_a')).status, 200);
    // Whom the bridge's user ignores makes no difference to the bridge.
    const ignored = { ignored_users: { '@founder:peer.test': {} } };
    const list = `${v3}/user/${ghost}/account_data/m.ignored_user_list?user_id=${ghost}`;
    assert.equal((await as.put(list, ignored)).status, 200);

    const invitation = await invite(ghost);
    assert.equal(invitation.status, 200);
    await bridge.until(() => memberships(ghost).length === 1);
    const [told] = bridge.events;
    const stripped = told?.unsigned['invite_room_state'] as { readonly type: string }[];
    assert.ok(stripped.some(({ type }) => type === 'm.room.join_rules'));

    const end = memberEvent(ghost, 'leave');
    assert.equal((await send(peer, [JSON.parse(end.pdu)])).status, 200);
    await bridge.until(() => memberships(ghost).length === 2);
    assert.deepEqual(memberships(ghost), [
      [invitation.eventId, 'invite'],
      [end.eventId, 'leave'],
    ]);
    assert.deepEqual(errors, []);
  });
}

test('a bridge is asked to make who is invited from another server', async (context) => {
  const { bridge, makeGhost, invite, memberships, errors } = await open(context);
  bridge.answerWith(async ({ path }) => {
    if (path !== `/_matrix/app/v1/users/${ghost}`) return undefined;
    assert.equal((await makeGhost('_ghost_a')).status, 200);
    return { status: 200 };
  });
  assert.equal((await invite(ghost)).status, 200);
  await bridge.until(() => memberships(ghost).length === 1);
  assert.equal((await invite('@_ghost_nobody:hs1')).status, 403);
  assert.equal((await invite('@nobody:hs1')).status, 403);
  const asked = bridge.requests.filter(({ path }) => path.includes('/users/')).map(({ path }) => path);
  assert.deepEqual(
    asked,
    [ghost, '@_ghost_nobody:hs1'].map((userId) => `/_matrix/app/v1/users/${userId}`),
  );
  assert.deepEqual(errors, []);
});
