import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Direction, EventType, JoinRule, Preset, RoomType, Visibility } from './sdk.ts';
import { describeOnStage } from './stage.ts';

let names = 0;
const freshName = (what: string) => `${what}-${++names}`;

describeOnStage('matrix-js-sdk finding rooms and people', (stage) => {
  test('a room is found and joined by its alias until that is gone', async () => {
    const { alice, bob } = stage;
    const name = freshName('alias');
    const { room_id: roomId } = await alice.client.createRoom({ preset: Preset.PublicChat, room_alias_name: name });
    const alias = `#${name}:localhost`;
    const room = await alice.inRoom(roomId);
    await alice.until('the canonical alias', () => room.getCanonicalAlias() === alias);
    assert.equal((await bob.client.getRoomIdForAlias(alias)).room_id, roomId);
    await bob.client.joinRoom(alias);
    await bob.inRoom(roomId);
    const second = `#${freshName('second')}:localhost`;
    await alice.client.createAlias(second, roomId);
    assert.deepEqual((await alice.client.getLocalAliases(roomId)).aliases.toSorted(), [alias, second].toSorted());
    await alice.client.deleteAlias(second);
    await assert.rejects(bob.client.getRoomIdForAlias(second), { errcode: 'M_NOT_FOUND' });
    await assert.rejects(bob.client.createAlias(alias, roomId), { errcode: 'M_UNKNOWN' });
  });

  test('the directory lists what was published, by words and in pages', async () => {
    const { alice, bob } = stage;
    const word = freshName('zebra');
    const made = await Promise.all(
      ['one', 'two', 'three'].map((name) =>
        alice.client.createRoom({ preset: Preset.PublicChat, name: `${word} ${name}`, visibility: Visibility.Public }),
      ),
    );
    const filter = { generic_search_term: word };
    const first = await bob.client.publicRooms({ limit: 2, filter });
    assert.equal(first.chunk.length, 2);
    assert.ok(first.next_batch);
    const rest = await bob.client.publicRooms({ limit: 2, filter, since: first.next_batch });
    const found = [...first.chunk, ...rest.chunk].map((room) => room.room_id).toSorted();
    assert.deepEqual(found, made.map((room) => room.room_id).toSorted());
    const [gone] = made;
    assert.ok(gone);
    await alice.client.setRoomDirectoryVisibility(gone.room_id, Visibility.Private);
    assert.equal((await bob.client.publicRooms({ filter })).chunk.length, 2);
  });

  test('messages are found by their words, with what was said around them', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    for (const text of ['before it', 'the giraffe stands here', 'after it'])
      await alice.client.sendTextMessage(roomId, text);
    const results = await bob.client.searchRoomEvents({ term: 'giraffe' });
    assert.equal(results.count, 1);
    const [result] = results.results;
    assert.equal(result?.context.getEvent().getContent()['body'], 'the giraffe stands here');
    const around = result?.context.getTimeline().map((event) => event.getContent()['body']);
    assert.ok(around.includes('before it') && around.includes('after it'));
  });

  test('people change their names, in rooms and for those who look for them', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const name = freshName('Quokka');
    await alice.client.setDisplayName(name);
    await alice.client.setAvatarUrl('mxc://localhost/avatar');
    const shown = () => bob.client.getRoom(roomId)?.getMember(alice.userId);
    await bob.until('the new name', () => shown()?.rawDisplayName === name);
    await bob.until('the picture', () => shown()?.getMxcAvatarUrl() === 'mxc://localhost/avatar');
    assert.deepEqual(await bob.client.getProfileInfo(alice.userId), {
      displayname: name,
      avatar_url: 'mxc://localhost/avatar',
    });
    assert.ok(await alice.client.doesServerSupportExtendedProfiles());
    await alice.client.setExtendedProfileProperty('org.example.colour', 'green');
    assert.equal((await bob.client.getExtendedProfile(alice.userId))['org.example.colour'], 'green');
    const { results } = await bob.client.searchUserDirectory({ term: name });
    assert.deepEqual(
      results.map((user) => user.user_id),
      [alice.userId],
    );
  });

  test('a space shows its rooms, and a summary what is known before one joins', async () => {
    const { alice, bob } = stage;
    const { room_id: space } = await alice.client.createRoom({
      preset: Preset.PublicChat,
      name: 'The space',
      creation_content: { type: RoomType.Space },
    });
    const { room_id: inside } = await alice.client.createRoom({
      preset: Preset.PublicChat,
      name: 'Inside',
      topic: 'What',
    });
    await alice.client.sendStateEvent(space, EventType.SpaceChild, { via: ['localhost'], order: 'a' }, inside);
    assert.ok((await alice.inRoom(space)).isSpaceRoom());
    const { rooms } = await bob.client.getRoomHierarchy(space, 10);
    assert.deepEqual(
      rooms.map((room) => room.name),
      ['The space', 'Inside'],
    );
    assert.deepEqual(
      rooms[0]?.children_state.map((child) => child.state_key),
      [inside],
    );
    const summary = await bob.client.getRoomSummary(inside);
    assert.deepEqual([summary.name, summary.topic, summary.num_joined_members], ['Inside', 'What', 1]);
  });

  test('someone knocks, is let in, and follows an upgrade to the next room', async () => {
    const { alice, bob } = stage;
    const { room_id: roomId } = await alice.client.createRoom({
      preset: Preset.PrivateChat,
      name: 'Behind the door',
      room_version: '11',
      initial_state: [{ type: EventType.RoomJoinRules, state_key: '', content: { join_rule: JoinRule.Knock } }],
    });
    const room = await alice.inRoom(roomId);
    await bob.client.knockRoom(roomId, { reason: 'May I?' });
    const knocked = await bob.inRoom(roomId, 'knock');
    assert.equal(knocked.name, 'Behind the door');
    await alice.until('the knock', () => room.getMember(bob.userId)?.membership === 'knock');
    await alice.client.invite(roomId, bob.userId);
    await bob.client.joinRoom(roomId);
    await bob.inRoom(roomId);

    const { replacement_room: next } = await alice.client.upgradeRoom(roomId, '12');
    const old = await bob.inRoom(roomId);
    const tombstone = () => old.currentState.getStateEvents(EventType.RoomTombstone, '');
    await bob.until('the tombstone', () => tombstone()?.getContent()['replacement_room'] === next);
    const upgraded = await alice.inRoom(next);
    assert.equal(upgraded.getVersion(), '12');
    assert.equal(upgraded.name, 'Behind the door');
    assert.equal(upgraded.findPredecessor()?.roomId, roomId);
  });

  test('a day leads to its first event, and a room that was left can be forgotten', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const { event_id: eventId } = await alice.client.sendTextMessage(roomId, 'of today');
    const event = await bob.reads(roomId, 'of today');
    const found = await bob.client.timestampToEvent(roomId, event.getTs(), Direction.Forward);
    assert.equal(found.event_id, eventId);
    await assert.rejects(bob.client.forget(roomId), { errcode: 'M_UNKNOWN' });
    await bob.client.leave(roomId);
    await bob.inRoom(roomId, 'leave');
    await bob.client.forget(roomId);
    await assert.rejects(bob.client.roomState(roomId), { errcode: 'M_FORBIDDEN' });
  });
});
