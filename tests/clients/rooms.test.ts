import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventType, Preset, Visibility, type MatrixError, type Room } from './sdk.ts';
import { describeOnStage } from './stage.ts';
import { bareClient, type Person } from './person.ts';

function stateOf(room: Room, type: string, key = ''): Record<string, unknown> | undefined {
  return room.currentState.getStateEvents(type, key)?.getContent();
}

describeOnStage('matrix-js-sdk in rooms', (stage) => {
  test('registration tells its flows, and a session can be logged in, named and logged out', async () => {
    const { server, people, bob } = stage;
    const client = bareClient(server.baseUrl);
    const refusal = await client.registerRequest({ username: 'carol', password: 'secret' }).then(
      () => assert.fail('registered without a flow'),
      (error: unknown) => error as MatrixError,
    );
    assert.equal(refusal.httpStatus, 401);
    assert.deepEqual((refusal.data as { flows?: unknown }).flows, [{ stages: ['m.login.dummy'] }]);
    const { flows } = await client.loginFlows();
    assert.ok(flows.some(({ type }) => type === 'm.login.password'));
    const phone = await people.logIn(bob.userId, bob.password);
    assert.notEqual(phone.client.getDeviceId(), bob.client.getDeviceId());
    const { user_id, device_id } = await phone.client.whoami();
    assert.deepEqual([user_id, device_id], [bob.userId, phone.client.getDeviceId()]);
    await phone.client.logout(true);
    await assert.rejects(phone.client.whoami(), { errcode: 'M_UNKNOWN_TOKEN' });
  });

  for (const [preset, joinRule, guests] of [
    [Preset.PrivateChat, 'invite', 'can_join'],
    [Preset.TrustedPrivateChat, 'invite', 'can_join'],
    [Preset.PublicChat, 'public', 'forbidden'],
  ] as const) {
    test(`a ${preset} comes with its state, and with whom it invites`, async () => {
      const { alice, bob } = stage;
      const { room_id: roomId } = await alice.client.createRoom({
        preset,
        name: 'The room',
        topic: 'What it is about',
        visibility: Visibility.Private,
        invite: [bob.userId],
        initial_state: [{ type: 'org.example.colour', state_key: 'wall', content: { colour: 'green' } }],
      });
      const room = await alice.inRoom(roomId);
      assert.equal(room.name, 'The room');
      assert.equal(room.getJoinRule(), joinRule);
      assert.equal(room.getGuestAccess(), guests);
      assert.equal(room.getHistoryVisibility(), 'shared');
      assert.equal(stateOf(room, EventType.RoomTopic)?.['topic'], 'What it is about');
      assert.deepEqual(stateOf(room, 'org.example.colour', 'wall'), { colour: 'green' });
      assert.equal(room.getCreator(), alice.userId);
      assert.ok(room.currentState.maySendStateEvent(EventType.RoomPowerLevels, alice.userId));

      const invitation = await bob.inRoom(roomId, 'invite');
      assert.equal(invitation.name, 'The room');
      assert.equal(invitation.getMember(bob.userId)?.events.member?.getSender(), alice.userId);
      await bob.client.joinRoom(roomId);
      const joined = await bob.inRoom(roomId);
      assert.deepEqual(
        joined
          .getJoinedMembers()
          .map(({ userId }) => userId)
          .toSorted(),
        [alice.userId, bob.userId].toSorted(),
      );
      const bobHasPower = joined.currentState.maySendStateEvent(EventType.RoomPowerLevels, bob.userId);
      assert.equal(bobHasPower, preset === Preset.TrustedPrivateChat);
    });
  }

  test('messages go both ways, each shown once with its local echo replaced', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom(Preset.PrivateChat);
    const lines = ['hello', 'hello yourself', 'how are you? 🐈', 'fine'];
    for (const [index, line] of lines.entries()) {
      const [speaker, listener] = index % 2 === 0 ? [alice, bob] : [bob, alice];
      const { event_id: eventId } = await speaker.client.sendTextMessage(roomId, line);
      const seen = await listener.reads(roomId, line);
      assert.equal(seen.getId(), eventId);
      assert.equal(seen.getSender(), speaker.userId);
      assert.equal((await speaker.reads(roomId, line)).getId(), eventId);
    }
    assert.deepEqual(alice.texts(roomId), lines);
    assert.deepEqual(bob.texts(roomId), lines);
  });

  test('an invite can be declined, and someone can leave, be kicked, be banned and come back', async () => {
    const { alice, bob } = stage;
    const { room_id: roomId } = await alice.client.createRoom({ preset: Preset.PrivateChat });
    const room = await alice.inRoom(roomId);
    const bobIs = (membership: string) =>
      alice.until(`bob being ${membership}`, () => room.getMember(bob.userId)?.membership === membership);

    await alice.client.invite(roomId, bob.userId, { reason: 'Come in' });
    const invitation = await bob.inRoom(roomId, 'invite');
    assert.equal(invitation.getMember(bob.userId)?.events.member?.getContent()['reason'], 'Come in');
    await bob.client.leave(roomId);
    await Promise.all([bob.inRoom(roomId, 'leave'), bobIs('leave')]);

    await alice.client.invite(roomId, bob.userId);
    await bob.client.joinRoom(roomId);
    await Promise.all([bob.inRoom(roomId), bobIs('join')]);

    await alice.client.kick(roomId, bob.userId, 'Out you go');
    const kicked = await bob.inRoom(roomId, 'leave');
    assert.equal(kicked.getMember(bob.userId)?.events.member?.getContent()['reason'], 'Out you go');
    await assert.rejects(bob.client.joinRoom(roomId), { errcode: 'M_FORBIDDEN' });

    await alice.client.ban(roomId, bob.userId, 'And stay out');
    await Promise.all([bob.inRoom(roomId, 'ban'), bobIs('ban')]);
    await assert.rejects(alice.client.invite(roomId, bob.userId), { errcode: 'M_FORBIDDEN' });

    await alice.client.unban(roomId, bob.userId);
    await bobIs('leave');
    await alice.client.invite(roomId, bob.userId);
    await bob.client.joinRoom(roomId);
    await Promise.all([bob.inRoom(roomId), bobIs('join')]);
    await assert.rejects(bob.client.kick(roomId, alice.userId), { errcode: 'M_FORBIDDEN' });
  });

  test('state changes reach the other one, and power decides who may make them', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const room = await bob.inRoom(roomId);
    await alice.client.setRoomName(roomId, 'Before');
    await alice.client.setRoomTopic(roomId, 'About');
    await bob.until('the name', () => room.name === 'Before');
    await bob.until('the topic', () => stateOf(room, EventType.RoomTopic)?.['topic'] === 'About');
    await assert.rejects(bob.client.setRoomName(roomId, 'Mine'), { errcode: 'M_FORBIDDEN' });
    await alice.client.setPowerLevel(roomId, bob.userId, 50);
    await bob.until('power', () => room.getMember(bob.userId)?.powerLevel === 50);
    await bob.client.setRoomName(roomId, 'After');
    await alice.until('the new name', () => alice.client.getRoom(roomId)?.name === 'After');
    assert.deepEqual(await alice.client.getStateEvent(roomId, EventType.RoomName, ''), { name: 'After' });
    const state = await alice.client.roomState(roomId);
    assert.ok(state.some((event) => event.type === 'm.room.create' && event.sender === alice.userId));
    const { joined } = await alice.client.getJoinedRoomMembers(roomId);
    assert.deepEqual(Object.keys(joined).toSorted(), [alice.userId, bob.userId].toSorted());
    assert.ok((await bob.client.getJoinedRooms()).joined_rooms.includes(roomId));
  });

  test('a redaction empties the message in both clients', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const { event_id: eventId } = await alice.client.sendTextMessage(roomId, 'something to regret');
    const seen = await bob.reads(roomId, 'something to regret');
    await alice.client.redactEvent(roomId, eventId, undefined, { reason: 'Regret' });
    await bob.until('the redaction', () => seen.isRedacted());
    assert.deepEqual(seen.getContent(), {});
    assert.equal(seen.getRedactionEvent()?.sender, alice.userId);
    const fetched = await bob.client.fetchRoomEvent(roomId, eventId);
    assert.deepEqual(fetched.content, {});
    await assert.rejects(
      bob.client.redactEvent(roomId, room(bob, roomId).getLiveTimeline().getEvents()[0]?.getId() ?? ''),
      {
        errcode: 'M_FORBIDDEN',
      },
    );
  });

  test('with lazy members a client learns of people as it needs them', async () => {
    const { server, people, alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const crowd = await Promise.all(Array.from({ length: 8 }, () => server.registerUser()));
    for (const one of crowd) await one.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, {});
    for (let line = 0; line < 20; line += 1) await alice.client.sendTextMessage(roomId, `line ${line}`);
    const lazy = await people.logIn(bob.userId, bob.password, { lazyLoadMembers: true, initialSyncLimit: 5 });
    const lazyRoom = await lazy.inRoom(roomId);
    assert.equal(lazyRoom.getJoinedMemberCount(), 10);
    assert.ok(lazyRoom.getMember(alice.userId), 'whoever speaks in the timeline is known');
    assert.ok(crowd.some(({ userId }) => lazyRoom.getMember(userId) === null));
    await lazyRoom.loadMembersIfNeeded();
    assert.ok(crowd.every(({ userId }) => lazyRoom.getMember(userId)?.membership === 'join'));
    assert.equal(lazyRoom.getJoinedMembers().length, 10);
  });
});

function room(person: Person, roomId: string): Room {
  const room = person.client.getRoom(roomId);
  assert.ok(room);
  return room;
}
