import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestBridge } from '@portico/testkit/bridge.ts';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import { send } from './peer.ts';

const ghost = '@_ghost_a:hs1';
const v3 = '/_matrix/client/v3';

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`a bridge hears of invitations from other servers, and what becomes of them (${engine})`, async (context) => {
    const bridge = await startTestBridge();
    context.after(() => bridge.close());
    const settings = { APPLICATION_SERVICES: JSON.stringify([bridge.file]) };
    const network = await startTestNetwork(['hs1'], { engine, settings });
    context.after(() => network.close());
    const peer = await openPeer(context, network, 'peer.test');
    const as = network.server('hs1').as({ userId: '@_bot:hs1', accessToken: bridge.asToken, deviceId: '' });
    const registration = { type: 'm.login.application_service', username: '_ghost_a', inhibit_login: true };
    assert.equal((await as.post(`${v3}/register`, registration)).status, 200);
    // Whom the bridge's user ignores makes no difference to the bridge.
    const ignored = { ignored_users: { '@founder:peer.test': {} } };
    const list = `${v3}/user/${ghost}/account_data/m.ignored_user_list?user_id=${ghost}`;
    assert.equal((await as.put(list, ignored)).status, 200);

    const room = createPeerRoom(peer, { version: '11', joinRule: 'invite' });
    const memberEvent = (membership: string) =>
      room.add({ type: 'm.room.member', stateKey: ghost, sender: room.founder, content: { membership } });
    const invitation = memberEvent('invite');
    const uri = `/_matrix/federation/v2/invite/${encodeURIComponent(room.roomId)}/${encodeURIComponent(invitation.eventId)}`;
    const state = [room.state.get('m.room.create '), room.state.get('m.room.join_rules ')];
    const content = {
      room_version: '11',
      event: JSON.parse(invitation.pdu),
      invite_room_state: state.map((event) => JSON.parse(event?.pdu ?? '{}')),
    };
    assert.equal((await peer.send('hs1', 'PUT', uri, { content })).status, 200);
    const memberships = () =>
      bridge.events
        .filter(({ state_key: key, room_id: id }) => key === ghost && id === room.roomId)
        .map(({ event_id: eventId, content: { membership } }) => [eventId, membership]);
    await bridge.until(() => memberships().length === 1);
    const [told] = bridge.events;
    const stripped = told?.unsigned['invite_room_state'] as { readonly type: string }[];
    assert.ok(stripped.some(({ type }) => type === 'm.room.join_rules'));

    const end = memberEvent('leave');
    assert.equal((await send(peer, [JSON.parse(end.pdu)])).status, 200);
    await bridge.until(() => memberships().length === 2);
    assert.deepEqual(memberships(), [
      [invitation.eventId, 'invite'],
      [end.eventId, 'leave'],
    ]);
    assert.deepEqual(network.server('hs1').errors, []);
  });
}
