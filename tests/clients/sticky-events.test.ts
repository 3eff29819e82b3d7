import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Person } from './person.ts';
import { EventType } from './sdk.ts';
import { describeOnStage } from './stage.ts';

const type = EventType.RTCMembership;

describeOnStage('matrix-js-sdk and sticky events', (stage) => {
  const idOf = (person: Person, roomId: string, key: string) =>
    person.client.getRoom(roomId)?._unstable_getKeyedStickyEvent(stage.alice.userId, type, key)?.getId();
  const stick = async (roomId: string, key: string) =>
    (
      await stage.alice.client._unstable_sendStickyEvent(roomId, 300_000, null, type, {
        slot_id: 'm.call#',
        msc4354_sticky_key: key,
      })
    ).event_id;
  const shows = (person: Person, roomId: string, key: string, eventId: string | undefined) =>
    person.until(`${eventId} under ${key}`, () => idOf(person, roomId, key) === eventId);

  test('the last of a key counts, also for who comes when it is long past in the timeline', async () => {
    const { alice, bob, people } = stage;
    const roomId = await stage.sharedRoom();
    await shows(bob, roomId, 'laptop', await stick(roomId, 'laptop'));
    const [laptop, phone] = [await stick(roomId, 'laptop'), await stick(roomId, 'phone')];
    for (const key of ['laptop', 'phone']) await shows(bob, roomId, key, key === 'laptop' ? laptop : phone);
    for (let line = 0; line < 12; line++) await alice.client.sendTextMessage(roomId, `line ${line}`);
    await bob.reads(roomId, 'line 11');

    const later = await people.logIn(bob.userId, bob.password, { initialSyncLimit: 5 });
    const room = await later.inRoom(roomId);
    assert.ok(
      !room
        .getLiveTimeline()
        .getEvents()
        .some((event) => event.getId() === laptop),
    );
    await shows(later, roomId, 'laptop', laptop);
    await shows(later, roomId, 'phone', phone);
    const event = room._unstable_getKeyedStickyEvent(alice.userId, type, 'phone');
    const left = (event?.unstableStickyExpiresAt ?? 0) - Date.now();
    assert.ok(left > 200_000 && left <= 300_000, String(left));

    await alice.client.redactEvent(roomId, phone);
    for (const person of [bob, later]) await shows(person, roomId, 'phone', undefined);
  });

  test('one that is left with the server is sticky when it is sent', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const content = { slot_id: 'm.call#', msc4354_sticky_key: 'gone' };
    const scheduled = await alice.client._unstable_sendStickyDelayedEvent(
      roomId,
      300_000,
      { delay: 600_000 },
      null,
      type,
      content,
    );
    await alice.client._unstable_sendScheduledDelayedEvent(scheduled.delay_id);
    await bob.until('it has come', () => idOf(bob, roomId, 'gone'));
  });
});
