import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { freePort } from '@portico/testkit/server-process.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { listenersAt } from './killable-server.ts';
import type { People, Person } from './person.ts';
import { createPeople } from './person.ts';
import { ClientEvent, EventType, NotificationCountType, Preset, type MatrixClient, SlidingSync } from './sdk.ts';
import { describeOnStage } from './stage.ts';

const requiredState = [
  [EventType.RoomCreate, ''],
  [EventType.RoomName, ''],
  [EventType.RoomMember, '$ME'],
  [EventType.RoomMember, '$LAZY'],
];
const subscription = { timeline_limit: 20, required_state: requiredState };

function slidingSync(baseUrl: string, client: MatrixClient): SlidingSync {
  const all = { ranges: [[0, 19]], timeline_limit: 1, required_state: requiredState };
  return new SlidingSync(baseUrl, new Map([['all', all]]), subscription, client, 10_000);
}

/** Logs in a device of somebody that syncs in this way. */
async function logIn(people: People, baseUrl: string, who: Pick<Person, 'userId' | 'password'>) {
  let sliding: SlidingSync | undefined;
  const person = await people.start(await people.openSession(who.userId, who.password), undefined, {
    startWith: (client) => ({ slidingSync: (sliding = slidingSync(baseUrl, client)) }),
  });
  assert.ok(sliding);
  return { ...person, sliding };
}

describeOnStage('sliding sync of matrix-js-sdk', (stage) => {
  const slide = () => logIn(stage.people, stage.server.baseUrl, stage.bob);

  test('shows the rooms, what is said in them, and who says it', async () => {
    const { alice } = stage;
    const roomId = await stage.sharedRoom();
    await alice.client.setRoomName(roomId, 'Slides');
    await alice.client.sendTextMessage(roomId, 'before');
    const phone = await slide();
    const room = await phone.inRoom(roomId);
    assert.equal(room.name, 'Slides');
    await phone.reads(roomId, 'before');
    assert.equal(phone.sliding.getListData('all')?.joinedCount, phone.client.getRooms().length);
    await alice.client.sendTextMessage(roomId, 'after');
    await phone.reads(roomId, 'after');
    await phone.until('the one who speaks', () => room.getMember(alice.userId)?.membership === 'join');
    await phone.until('the count', () => room.getUnreadNotificationCount(NotificationCountType.Total) === 2);
    assert.deepEqual(phone.texts(roomId), ['before', 'after']);
  });

  test('a room that is opened comes with more of the past', async () => {
    const { alice } = stage;
    const roomId = await stage.sharedRoom();
    const texts = ['one', 'two', 'three', 'four'];
    for (const text of texts) await alice.client.sendTextMessage(roomId, text);
    const phone = await slide();
    await phone.reads(roomId, 'four');
    assert.deepEqual(phone.texts(roomId), ['four']);
    phone.sliding.modifyRoomSubscriptions(new Set([roomId]));
    await phone.reads(roomId, 'one');
    assert.deepEqual(phone.texts(roomId).toSorted(), texts.toSorted());
  });

  test('invitations come, and joining them', async () => {
    const { alice, bob } = stage;
    const phone = await slide();
    const { room_id: roomId } = await alice.client.createRoom({ preset: Preset.PrivateChat, name: 'Invited' });
    await alice.client.invite(roomId, bob.userId);
    const invited = await phone.inRoom(roomId, 'invite');
    assert.equal(invited.name, 'Invited');
    await phone.client.joinRoom(roomId);
    await phone.inRoom(roomId);
  });

  test('being put out of a room is seen', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const phone = await slide();
    await phone.inRoom(roomId);
    await alice.client.kick(roomId, bob.userId);
    await phone.inRoom(roomId, 'leave');
  });

  test('account data, receipts, typing and messages to devices come beside the rooms', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    await alice.client.sendTextMessage(roomId, 'so that she is known');
    const phone = await slide();
    const room = await phone.inRoom(roomId);
    assert.ok(phone.client.pushRules);
    await bob.client.setRoomTag(roomId, 'u.slides', {});
    await phone.until('the tag', () => 'u.slides' in room.tags);
    const { event_id: eventId } = await bob.client.sendTextMessage(roomId, 'read this');
    await alice.reads(roomId, 'read this');
    const event = alice.client.getRoom(roomId)?.findEventById(eventId);
    assert.ok(event);
    await phone.reads(roomId, 'read this');
    await alice.client.sendReadReceipt(event);
    await phone.until('the receipt', () => room.getEventReadUpTo(alice.userId) === eventId);
    await alice.client.sendTyping(roomId, true, 20_000);
    await phone.until('who types', () => room.getMember(alice.userId)?.typing === true);
    const got: unknown[] = [];
    phone.client.on(ClientEvent.ToDeviceEvent, (message) => got.push(message.getContent()));
    const messages = new Map([[bob.userId, new Map([['*', { hello: 'device' }]])]]);
    await alice.client.sendToDevice('x.slides', messages);
    await phone.until('the message', () => got.length > 0);
    assert.deepEqual(got, [{ hello: 'device' }]);
  });
});

test('sliding sync of matrix-js-sdk goes on after a restart of the server', async (context: TestContext) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-slides-'));
  context.after(() => rmSync(dataDir, { recursive: true, force: true }));
  const settings = { LISTENERS: listenersAt(await freePort()) };
  const start = () => startTestServer({ dataDir, databaseUrl: 'sqlite:portico.db', settings });
  let server = await start();
  context.after(() => server.stop());
  const { baseUrl } = server;
  const people = createPeople(() => baseUrl);
  context.after(() => people.stopAll());
  const [alice, bob] = [await people.arrive('alice'), await people.register('bob')];
  const phone = await logIn(people, baseUrl, bob);
  const { room_id: roomId } = await alice.client.createRoom({ preset: Preset.PublicChat });
  await phone.client.joinRoom(roomId);
  await phone.inRoom(roomId);
  await server.stop();
  server = await start();
  await alice.eventually('the server', () =>
    alice.client.sendTextMessage(roomId, 'still here').then(
      () => true,
      () => false,
    ),
  );
  await phone.reads(roomId, 'still here');
  assert.deepEqual(phone.texts(roomId), ['still here']);
});
