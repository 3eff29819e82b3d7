import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientEvent, EventType, MsgType, NotificationCountType, RelationType, type MatrixEvent } from './sdk.ts';
import { describeOnStage } from './stage.ts';

describeOnStage(
  'matrix-js-sdk in conversation',
  (stage) => {
    test('threads are found by both, counted and read by themselves, and can be listed', async () => {
      const { alice, bob, people } = stage;
      const roomId = await stage.sharedRoom();
      const room = await alice.inRoom(roomId);
      const { event_id: root } = await bob.client.sendTextMessage(roomId, 'the root');
      await alice.reads(roomId, 'the root');
      const replies: string[] = [];
      for (const body of ['first', 'second', 'third']) {
        replies.push((await bob.client.sendTextMessage(roomId, root, body)).event_id);
      }
      const thread = await alice.until('the thread', () => room.getThread(root) ?? undefined);
      // What the SDK takes for the last reply may be that of an answer which a reply has overtaken.
      await alice.until('all replies', () => replies.every((id) => thread.findEventById(id) !== undefined));
      const last = thread.findEventById(replies.at(-1) ?? '');
      assert.ok(last);
      const inThread = () => room.getThreadUnreadNotificationCount(root, NotificationCountType.Total);
      await alice.until('the count of the thread', () => inThread() === 3);
      assert.equal(room.getRoomUnreadNotificationCount(NotificationCountType.Total), 1);
      await alice.client.sendReadReceipt(last);
      await alice.until('a thread that is read', () => inThread() === 0);
      assert.equal(room.getRoomUnreadNotificationCount(NotificationCountType.Total), 1);

      const newcomer = await people.logIn(alice.userId, alice.password, { threadSupport: true, initialSyncLimit: 1 });
      const sameRoom = await newcomer.inRoom(roomId);
      await sameRoom.createThreadsTimelineSets();
      await sameRoom.fetchRoomThreads();
      const found = await newcomer.until('the root', () => sameRoom.getThread(root)?.rootEvent);
      assert.equal(found.getContent()['body'], 'the root');
      assert.equal(sameRoom.getThread(root)?.length, 3);
    });

    test('reactions are counted together, and an edit shows in the place of what it edits', async () => {
      const { alice, bob, people } = stage;
      const roomId = await stage.sharedRoom();
      const { event_id: id } = await alice.client.sendTextMessage(roomId, 'teh message');
      await bob.reads(roomId, 'teh message');
      for (const { client } of [alice, bob]) {
        await client.sendEvent(roomId, EventType.Reaction, {
          'm.relates_to': { rel_type: RelationType.Annotation, event_id: id, key: '👍' },
        });
      }
      const room = await bob.inRoom(roomId);
      const reactions = () =>
        room.relations
          .getChildEventsForEvent(id, RelationType.Annotation, EventType.Reaction)
          ?.getSortedAnnotationsByKey();
      await bob.until('both reactions', () => reactions()?.[0]?.[1].size === 2);
      await assert.rejects(
        bob.client.sendEvent(roomId, EventType.Reaction, {
          'm.relates_to': { rel_type: RelationType.Annotation, event_id: id, key: '👍' },
        }),
        { errcode: 'M_DUPLICATE_ANNOTATION' },
      );

      await alice.client.sendEvent(roomId, EventType.RoomMessage, {
        msgtype: MsgType.Text,
        body: '* the message',
        'm.new_content': { msgtype: MsgType.Text, body: 'the message' },
        'm.relates_to': { rel_type: RelationType.Replace, event_id: id },
      } as never);
      const edited = () => room.findEventById(id)?.getContent()['body'] === 'the message';
      await bob.until('the edit', edited);

      const phone = await people.logIn(bob.userId, bob.password, { initialSyncLimit: 20 });
      const seen = await phone.inRoom(roomId);
      assert.equal(seen.findEventById(id)?.getContent()['body'], 'the message');
      const { chunk } = await phone.client.fetchRelations(roomId, id, RelationType.Annotation, EventType.Reaction);
      assert.deepEqual(chunk.map(({ sender }) => sender).toSorted(), [alice.userId, bob.userId].toSorted());
    });

    test('typing shows while it lasts', async () => {
      const { alice, bob } = stage;
      const roomId = await stage.sharedRoom();
      const member = () => alice.client.getRoom(roomId)?.getMember(bob.userId);
      await bob.client.sendTyping(roomId, true, 30_000);
      await alice.until('bob typing', () => member()?.typing);
      await bob.client.sendTyping(roomId, false, 0);
      await alice.until('bob not typing', () => member()?.typing === false);
    });

    test('messages to devices reach the device they are for, or all of them, once', async () => {
      const { alice, bob, people } = stage;
      const phone = await people.logIn(bob.userId, bob.password);
      const got: string[] = [];
      for (const [name, { client }] of Object.entries({ desk: bob, phone })) {
        client.on(ClientEvent.ToDeviceEvent, (event: MatrixEvent) => {
          got.push(`${name}: ${String(event.getContent()['word'])}`);
        });
      }
      const to = (device: string, word: string) =>
        alice.client.sendToDevice('org.example.word', new Map([[bob.userId, new Map([[device, { word }]])]]));
      await to(phone.client.getDeviceId() ?? '', 'only you');
      await phone.until('its message', () => got.includes('phone: only you'));
      await to('*', 'everyone');
      await bob.until('the message of all', () => got.includes('desk: everyone'));
      await phone.until('the message of all', () => got.includes('phone: everyone'));
      // What comes with the next answer would come after this.
      await to('*', 'last');
      await Promise.all([
        bob.until('the last', () => got.includes('desk: last')),
        phone.until('the last', () => got.includes('phone: last')),
      ]);
      assert.deepEqual(got.toSorted(), [
        'desk: everyone',
        'desk: last',
        'phone: everyone',
        'phone: last',
        'phone: only you',
      ]);
    });

    test('tags order the rooms of one person on all devices', async () => {
      const { alice, people } = stage;
      const roomId = await stage.sharedRoom();
      const phone = await people.logIn(alice.userId, alice.password);
      await alice.client.setRoomTag(roomId, 'm.favourite', { order: 0.25 });
      const tags = () => phone.client.getRoom(roomId)?.tags;
      await phone.until('the tag', () => tags()?.['m.favourite'] !== undefined);
      assert.deepEqual(tags(), { 'm.favourite': { order: 0.25 } });
      assert.deepEqual(await alice.client.getRoomTags(roomId), { tags: { 'm.favourite': { order: 0.25 } } });
      await alice.client.deleteRoomTag(roomId, 'm.favourite');
      await phone.until('no tag', () => tags()?.['m.favourite'] === undefined);
    });
  },
  { threadSupport: true },
);
