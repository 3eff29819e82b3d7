import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Person } from './person.ts';
import { Direction, Filter, NotificationCountType, ReceiptType, RelationType, type Room } from './sdk.ts';
import { describeOnStage } from './stage.ts';

/** Unread and highlighted, of the main timeline and of threads together. */
function counts(room: Room): readonly [number, number] {
  return [
    room.getUnreadNotificationCount(NotificationCountType.Total),
    room.getUnreadNotificationCount(NotificationCountType.Highlight),
  ];
}

function threadCounts(room: Room, root: string): readonly [number, number] {
  return [
    room.getThreadUnreadNotificationCount(root, NotificationCountType.Total),
    room.getThreadUnreadNotificationCount(root, NotificationCountType.Highlight),
  ];
}

async function untilCounts(person: Person, room: Room, wanted: readonly [number, number]): Promise<void> {
  const shows = () => JSON.stringify(counts(room)) === JSON.stringify(wanted);
  await person.until(`the counts ${String(wanted)}`, shows).catch((error: unknown) => {
    assert.deepEqual(counts(room), wanted, String(error));
  });
}

const threaded = (body: string, root: string) => ({
  msgtype: 'm.text',
  body,
  'm.relates_to': { rel_type: RelationType.Thread, event_id: root },
});

describeOnStage('matrix-js-sdk reading', (stage) => {
  test('messages and mentions count until a receipt, which the others see', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const room = await alice.inRoom(roomId);
    await untilCounts(alice, room, [0, 0]);
    await bob.client.sendTextMessage(roomId, 'one');
    await bob.client.sendMessage(roomId, {
      msgtype: 'm.text',
      body: 'hello alice',
      'm.mentions': { user_ids: [alice.userId] },
    } as never);
    await untilCounts(alice, room, [2, 1]);
    const last = await alice.reads(roomId, 'hello alice');
    await alice.client.sendReadReceipt(last);
    await untilCounts(alice, room, [0, 0]);
    const bobsRoom = await bob.inRoom(roomId);
    await bob.until('the receipt', () => bobsRoom.getReadReceiptForUserId(alice.userId)?.eventId === last.getId());

    await bob.client.sendTextMessage(roomId, 'two');
    await untilCounts(alice, room, [1, 0]);
    const two = await alice.reads(roomId, 'two');
    await alice.client.sendReadReceipt(two, ReceiptType.ReadPrivate);
    await untilCounts(alice, room, [0, 0]);
    await bob.client.sendTextMessage(roomId, 'three');
    await bob.reads(roomId, 'three');
    await untilCounts(alice, room, [1, 0]);
    await alice.client.sendTextMessage(roomId, 'what I answer shows that I have read');
    await untilCounts(alice, room, [0, 0]);
    await bob.reads(roomId, 'what I answer shows that I have read');
    assert.notEqual(bobsRoom.getReadReceiptForUserId(alice.userId, true)?.eventId, two.getId());
  });

  test('threads count by themselves', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const room = await alice.inRoom(roomId);
    const { event_id: root } = await bob.client.sendTextMessage(roomId, 'the root');
    await bob.client.sendMessage(roomId, threaded('first in the thread', root) as never);
    await bob.client.sendMessage(roomId, {
      ...threaded('second in the thread', root),
      'm.mentions': { user_ids: [alice.userId] },
    } as never);
    await untilCounts(alice, room, [3, 1]);
    assert.deepEqual(threadCounts(room, root), [2, 1]);
    const inMain = await alice.reads(roomId, 'the root');
    await alice.client.sendReceipt(inMain, ReceiptType.Read, { thread_id: 'main' }, true);
    await untilCounts(alice, room, [2, 1]);
    const inThread = await alice.reads(roomId, 'second in the thread');
    await alice.client.sendReceipt(inThread, ReceiptType.Read, { thread_id: root }, true);
    await untilCounts(alice, room, [0, 0]);
    assert.deepEqual(threadCounts(room, root), [0, 0]);
    await bob.client.sendMessage(roomId, threaded('third', root) as never);
    await bob.client.sendTextMessage(roomId, 'beside it');
    await untilCounts(alice, room, [2, 0]);
    assert.deepEqual(threadCounts(room, root), [1, 0]);
    const newest = await alice.reads(roomId, 'beside it');
    await alice.client.sendReadReceipt(newest, ReceiptType.Read, true);
    await untilCounts(alice, room, [0, 0]);
  });

  test('a muted room does not count, and counts again when it is not muted any more', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const room = await alice.inRoom(roomId);
    await alice.client.setRoomMutePushRule('global', roomId, true);
    await bob.client.sendTextMessage(roomId, 'unheard');
    await alice.reads(roomId, 'unheard');
    assert.deepEqual(counts(room), [0, 0]);
    await alice.client.setRoomMutePushRule('global', roomId, false);
    const rules = await alice.client.getPushRules();
    assert.ok(!rules.global.override?.some(({ rule_id: id }) => id === roomId));
    await bob.client.sendTextMessage(roomId, 'heard');
    await alice.reads(roomId, 'heard');
    await untilCounts(alice, room, [1, 0]);
  });

  test('the read marker and account data reach the other devices of a person, and nobody else', async () => {
    const { alice, bob, people } = stage;
    const roomId = await stage.sharedRoom();
    const phone = await people.logIn(alice.userId, alice.password);
    const { event_id: eventId } = await bob.client.sendTextMessage(roomId, 'to be marked');
    const event = await alice.reads(roomId, 'to be marked');
    await alice.client.setRoomReadMarkers(roomId, eventId, event);
    const marker = () => phone.client.getRoom(roomId)?.getAccountData('m.fully_read')?.getContent()['event_id'];
    await phone.until('the marker', () => marker() === eventId);
    const room = await phone.inRoom(roomId);
    assert.equal(room.getReadReceiptForUserId(alice.userId)?.eventId, eventId);

    await alice.client.setAccountData('org.example.settings' as never, { theme: 'dark' } as never);
    const settings = () => phone.client.getAccountData('org.example.settings' as never)?.getContent();
    await phone.until('the account data', () => settings()?.['theme'] === 'dark');
    assert.deepEqual(await phone.client.getAccountDataFromServer('org.example.settings' as never), { theme: 'dark' });
    await alice.client.setRoomAccountData(roomId, 'org.example.room' as never, { pinned: true } as never);
    await phone.until('the account data of the room', () => room.getAccountData('org.example.room'));
    assert.equal(bob.client.getAccountData('org.example.settings' as never), undefined);
    assert.equal(bob.client.getRoom(roomId)?.getAccountData('org.example.room'), undefined);
  });

  test('a filter is kept, and what it leaves out does not come', async () => {
    const { alice, bob, people } = stage;
    const roomId = await stage.sharedRoom();
    const definition = { room: { timeline: { not_types: ['m.reaction'], not_senders: [bob.userId] } } };
    const stored = await alice.client.createFilter(definition);
    assert.ok(stored.filterId);
    const read = await alice.client.getFilter(alice.userId, stored.filterId, false);
    assert.deepEqual(read.getDefinition(), definition);
    const filter = new Filter(alice.userId);
    filter.setDefinition(definition);
    const choosy = await people.logIn(alice.userId, alice.password, { filter });
    await bob.client.sendTextMessage(roomId, 'left out');
    await alice.reads(roomId, 'left out');
    await alice.client.sendEvent(roomId, 'm.reaction' as never, {} as never);
    await alice.client.sendTextMessage(roomId, 'let in');
    await choosy.reads(roomId, 'let in');
    await alice.reads(roomId, 'let in');
    assert.deepEqual(choosy.texts(roomId), ['let in']);
    assert.deepEqual(alice.texts(roomId), ['left out', 'let in']);
  });

  test('the past can be scrolled to the beginning of the room, each event once', async () => {
    const { alice, people } = stage;
    const roomId = await stage.sharedRoom();
    const lines = Array.from({ length: 45 }, (_, index) => `line ${index}`);
    for (const line of lines) await alice.client.sendTextMessage(roomId, line);
    const phone = await people.logIn(alice.userId, alice.password, { initialSyncLimit: 5 });
    const room = await phone.inRoom(roomId);
    assert.deepEqual(phone.texts(roomId), lines.slice(-5));
    while (room.oldState.paginationToken !== null) await phone.client.scrollback(room, 20);
    assert.deepEqual(phone.texts(roomId), lines);
    const [first] = room.getLiveTimeline().getEvents();
    assert.equal(first?.getType(), 'm.room.create');
    const ids = room
      .getLiveTimeline()
      .getEvents()
      .map((event) => event.getId());
    assert.equal(new Set(ids).size, ids.length);
  });

  test('a place in the past can be opened, and read on in both directions', async () => {
    const { alice, people } = stage;
    const roomId = await stage.sharedRoom();
    const ids: string[] = [];
    for (let line = 0; line < 30; line += 1) {
      ids.push((await alice.client.sendTextMessage(roomId, `line ${line}`)).event_id);
    }
    const phone = await people.logIn(alice.userId, alice.password, { initialSyncLimit: 3 });
    const room = await phone.inRoom(roomId);
    const timeline = await phone.client.getEventTimeline(room.getUnfilteredTimelineSet(), ids[10] ?? '');
    assert.ok(timeline);
    const shown = () => timeline.getEvents().map((event) => event.getId());
    assert.ok(shown().includes(ids[10]));
    while (!shown().includes(ids[20])) {
      assert.ok(await phone.client.paginateEventTimeline(timeline, { backwards: false, limit: 5 }));
    }
    while (!shown().includes(ids[0])) {
      assert.ok(await phone.client.paginateEventTimeline(timeline, { backwards: true, limit: 5 }));
    }
    const stretch = shown().filter((id) => ids.includes(id ?? ''));
    assert.deepEqual(stretch, ids.slice(0, stretch.length));
    assert.ok(timeline.getPaginationToken(Direction.Forward) !== null);
  });
});
