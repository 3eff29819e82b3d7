import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestDatabase, onBothEngines, openFor } from '@portico/testkit';
import { createCountedRoom, type SentEvent } from '@portico/testkit/counted-room.ts';
import { createWriteSet } from '@portico/storage';
import { startMailServer } from '@portico/testkit/mail-server.ts';
import { readQueued } from '@portico/storage/stores/push/push-queue.ts';
import { addThirdPartyId } from '@portico/storage/stores/accounts/third-party-ids.ts';
import { bob, startProcess, setPusher, say, withGateway, eventsOf } from '@portico/testkit/push-process.ts';

onBothEngines('a gateway that fails is asked again later and later, at most once an hour', async (db, context) => {
  const gateway = await withGateway(context);
  const process = await startProcess(db, gateway);
  const { clock, sender } = process;
  await setPusher(process, gateway, '@alice:here', 'phone');
  const room = await createCountedRoom(db, process.unread, () => false);
  await room.setMembership('@alice:here', 'join');
  gateway.answerWith(() => ({ status: 500 }));
  const eventId = await say(room);
  await sender.settled();
  assert.equal(gateway.notifications.length, 1);
  const waits: number[] = [];
  for (let last = clock.now(); waits.length < 14;) {
    const before: number = gateway.notifications.length;
    while (gateway.notifications.length === before) await clock.pass(100);
    waits.push(Math.round((clock.now() - last) / 100) / 10);
    last = clock.now();
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600]);
  gateway.answerWith();
  await clock.pass(3_600_000);
  const [first] = eventsOf(gateway);
  assert.deepEqual([first, eventsOf(gateway).at(-1), gateway.notifications.length], [eventId, eventId, 16]);
  assert.equal(process.outcomes.filter((outcome) => outcome === 'sent').length, 1);
  await process.stop();
});

onBothEngines('a device out of reach for more than a day has missed what happened', async (db, context) => {
  const gateway = await withGateway(context);
  const process = await startProcess(db, gateway);
  const { clock, sender } = process;
  await setPusher(process, gateway, '@alice:here', 'phone');
  const room = await createCountedRoom(db, process.unread, () => false);
  await room.setMembership('@alice:here', 'join');
  gateway.answerWith(() => ({ status: 500 }));
  const missed = await say(room);
  await sender.settled();
  await clock.pass(26 * 3_600_000);
  gateway.answerWith();
  gateway.clear();
  await clock.pass(2 * 3_600_000);
  assert.deepEqual(gateway.notifications, []);
  const heard = await say(room);
  await sender.settled();
  assert.deepEqual(eventsOf(gateway), [heard]);
  assert.notEqual(missed, heard);
  await process.stop();
});

onBothEngines('a pusher that is set anew is tried at once, and no backlog is endless', async (db, context) => {
  const gateway = await withGateway(context);
  const process = await startProcess(db, gateway);
  const { sender } = process;
  await setPusher(process, gateway, '@alice:here', 'phone');
  const room = await createCountedRoom(db, process.unread, () => false);
  await room.setMembership('@alice:here', 'join');
  gateway.answerWith(() => ({ status: 500 }));
  await say(room);
  await sender.settled();
  for (let n = 0; n < 130; n++) await say(room);
  await setPusher(process, gateway, '@alice:here', 'phone');
  await sender.settled();
  gateway.answerWith();
  gateway.clear();
  await setPusher(process, gateway, '@alice:here', 'phone');
  await sender.settled();
  assert.equal(gateway.notifications.length, 100);
  assert.deepEqual(gateway.notifications.at(-1)?.counts, { unread: 131 });
  await process.stop();
});

onBothEngines('what waits when the process stops is sent once by the next one', async (db, context) => {
  const gateway = await withGateway(context);
  const first = await startProcess(db, gateway);
  await setPusher(first, gateway, '@alice:here', 'phone');
  const room = await createCountedRoom(db, first.unread, () => false);
  await room.setMembership('@alice:here', 'join');
  const sent = await say(room);
  await first.sender.settled();
  await first.stop();
  const waiting = [await say(room), await say(room)];
  assert.deepEqual(eventsOf(gateway), [sent]);
  const second = await startProcess(db, gateway);
  await second.sender.settled();
  assert.deepEqual(eventsOf(gateway), [sent, ...waiting]);
  await second.stop();
  const third = await startProcess(db, gateway);
  await third.sender.settled();
  assert.deepEqual(eventsOf(gateway), [sent, ...waiting]);
  await third.stop();
});

onBothEngines('email tells after ten minutes what is still unread, and no more than hourly', async (db, context) => {
  const [gateway, smtp] = [await withGateway(context), await startMailServer()];
  context.after(() => smtp.close());
  const process = await startProcess(db, gateway, false, smtp);
  const { clock, sender } = process;
  const [userId, address] = ['@alice:here', 'alice@example.org'];
  const set = createWriteSet();
  addThirdPartyId(set, { userId, medium: 'email', address, validatedAt: 1, addedAt: 1 });
  await db.commit(set);
  const names = { app_display_name: 'Email', device_display_name: address, lang: 'en' };
  const pusher = { kind: 'email', app_id: 'm.email', pushkey: address, ...names, data: {} };
  await process.pushers.set({ userId, deviceId: 'PHONE' }, pusher);
  await setPusher(process, gateway, userId, 'phone');
  const room = await createCountedRoom(db, process.unread, () => false);
  await room.setMembership(userId, 'join');
  const minute = 60_000;
  const pass = async (minutes: number) => {
    await clock.pass(minutes * minute);
    return smtp.received.length;
  };
  await say(room);
  await sender.settled();
  assert.equal(gateway.notifications.length, 1);
  assert.equal(await pass(9), 0);
  await say(room);
  assert.equal(await pass(2), 1);
  assert.match(smtp.received[0]?.text ?? '', /2 messages from @bob:elsewhere/);
  await say(room);
  await sender.settled();
  assert.equal(await pass(50), 1);
  assert.equal(await pass(15), 2);
  assert.match(smtp.received[1]?.text ?? '', /1 message from/);
  assert.equal(await pass(600), 2);

  // What was read meanwhile is not written about.
  await say(room);
  await sender.settled();
  await room.send({ sender: userId, type: 'm.room.message', content: { msgtype: 'm.text', body: 'I am here' } });
  assert.equal(await pass(600), 2);

  // A mail server that is down is asked again.
  smtp.refuseWith(451);
  await say(room);
  await sender.settled();
  assert.equal(await pass(11), 2);
  smtp.refuseWith(undefined);
  assert.equal(await pass(60), 3);

  // What it refuses for good is given up, and what comes later is tried.
  await pass(600);
  smtp.refuseWith(550);
  const refusals = smtp.refused;
  await say(room);
  await sender.settled();
  assert.equal(await pass(600), 3);
  assert.equal(smtp.refused - refusals, 1);
  smtp.refuseWith(undefined);
  await say(room);
  await sender.settled();
  assert.equal(await pass(600), 4);
  assert.match(smtp.received[3]?.text ?? '', /1 message from/);
  await process.stop();
});

onBothEngines('what is redacted within a second is told with one number, and waits as one row', async (db, context) => {
  const gateway = await withGateway(context);
  const process = await startProcess(db, gateway);
  const { clock, sender } = process;
  const key = { userId: '@alice:here', appId: 'org.example', pushkey: 'phone' };
  await setPusher(process, gateway, key.userId, key.pushkey);
  const room = await createCountedRoom(db, process.unread, () => false);
  await room.setMembership(key.userId, 'join');
  const content = { msgtype: 'm.text', body: 'hello' };
  const sent: SentEvent[] = [];
  for (let n = 0; n < 7; n++) sent.push(await room.send({ sender: bob, type: 'm.room.message', content }));
  await sender.settled();
  const redact = async (redacts: SentEvent | undefined) => {
    assert.ok(redacts);
    await room.send({ sender: bob, type: 'm.room.redaction', content: {}, redacts });
  };
  gateway.clear();
  for (let n = 0; n < 4; n++) await redact(sent[n]);
  assert.equal((await readQueued(db, key, 100)).length, 1);
  assert.deepEqual(gateway.notifications, []);
  // What comes while the number is on its way is not lost with it.
  let isFirst = true;
  gateway.answerWith(async () => {
    if (isFirst) {
      isFirst = false;
      await redact(sent[4]);
    }
    return {};
  });
  await clock.pass(1000);
  await clock.pass(1000);
  assert.deepEqual(
    gateway.notifications.map(({ event_id: eventId, counts }) => [eventId, counts]),
    [
      [undefined, { unread: 3 }],
      [undefined, { unread: 2 }],
    ],
  );
  assert.equal((await readQueued(db, key, 100)).length, 0);

  // Those who have read it are told nothing.
  await room.send({ sender: key.userId, type: 'm.room.message', content });
  await sender.settled();
  gateway.clear();
  await redact(sent[5]);
  assert.equal((await readQueued(db, key, 100)).length, 0);
  await clock.pass(5000);
  assert.deepEqual(gateway.notifications, []);
  await process.stop();
});

test('a gateway at a private address is not asked, unless private addresses are allowed', async (context) => {
  const gateway = await withGateway(context);
  const db = await openFor(context, await createTestDatabase());
  const { OUTBOUND_TRUSTED_CA_FILE = '' } = gateway.settings;
  const process = await startProcess(db, { ...gateway, settings: { OUTBOUND_TRUSTED_CA_FILE } });
  await setPusher(process, gateway, '@alice:here', 'phone');
  const room = await createCountedRoom(db, process.unread, () => false);
  await room.setMembership('@alice:here', 'join');
  await say(room);
  await process.sender.settled();
  assert.deepEqual([gateway.notifications.length, process.outcomes], [0, ['failed']]);
  await process.stop();
});

test('two processes on one database tell each device of each event once, in order', async (context) => {
  const gateway = await withGateway(context);
  const url = await createTestDatabase();
  const databases = [await openFor(context, url), await openFor(context, url)] as const;
  const processes = [
    await startProcess(databases[0], gateway, true),
    await startProcess(databases[1], gateway, true),
  ] as const;
  const userIds = Array.from({ length: 6 }, (_, n) => `@user${n}:here`);
  for (const userId of userIds) await setPusher(processes[0], gateway, userId, userId);
  const room = await createCountedRoom(databases[0], processes[0].unread, () => false);
  for (const userId of userIds) await room.setMembership(userId, 'join');
  const sent: string[] = [];
  for (let n = 0; n < 20; n++) sent.push(await say(room, `message ${n}`));
  const expected = sent.length * userIds.length;
  await gateway.until(() => gateway.notifications.length >= expected);
  await Promise.all(processes.map(({ sender }) => sender.settled()));
  for (const userId of userIds) {
    const told = gateway.notifications.filter(({ devices }) => devices[0]?.pushkey === userId);
    assert.deepEqual(
      told.map(({ event_id: eventId }) => eventId),
      sent,
      userId,
    );
  }
  // One of them goes: the other takes over at once.
  const [leaving, staying] = processes[0].outcomes.length > 0 ? processes : [processes[1], processes[0]];
  await leaving.stop();
  gateway.clear();
  const last = await say(room);
  await gateway.until(() => gateway.notifications.length >= userIds.length);
  await staying.sender.settled();
  assert.deepEqual(
    eventsOf(gateway),
    userIds.map(() => last),
  );
  await staying.stop();
});
