import assert from 'node:assert/strict';
import { newDeviceKeys } from '../../packages/testkit/device-keys.ts';
import { enter, type Person } from '../dev/client.ts';
import { meetInRoom } from './meeting.ts';
import { room, until } from './until.ts';

const password = 'side by side';

type Answer = Readonly<Record<string, unknown>>;

async function deactivate(person: Person, erase: boolean): Promise<void> {
  const identifier = { type: 'm.id.user', user: person.userId };
  await person.call('POST', 'account/deactivate', { auth: { type: 'm.login.password', identifier, password }, erase });
}

async function devicesOf(asking: Person, userId: string): Promise<Answer> {
  const found = await asking.call('POST', 'keys/query', { device_keys: { [userId]: [] } });
  return (found as unknown as { device_keys: Record<string, Answer> }).device_keys[userId] ?? {};
}

/** A device comes and goes, as somebody sees who is in a room with its person. */
export async function loseDevice(host: Person, guest: Person, hostUrl: string): Promise<void> {
  await meetInRoom(host, guest);
  const name = host.userId.slice(1, host.userId.indexOf(':'));
  const { person: phone } = await enter(hostUrl, name, password);
  const deviceId = (await phone.call('GET', 'account/whoami'))['device_id'] ?? '';
  await phone.call('POST', 'keys/upload', { device_keys: newDeviceKeys({ userId: host.userId, deviceId }) });
  await until('the new device is seen', async () => (await devicesOf(guest, host.userId))[deviceId]);
  await phone.call('POST', 'logout', {});
  await until('it is gone', async () =>
    (await devicesOf(guest, host.userId))[deviceId] === undefined ? true : undefined,
  );
}

/** Somebody closes their account: they leave, and nobody finds their devices, nor their name if they want to be forgotten. */
export async function closeAccount(
  { baseUrl, serverName }: { readonly baseUrl: string; readonly serverName: string },
  host: Person,
  guest: Person,
  erase: boolean,
): Promise<void> {
  const { person: eve } = await enter(baseUrl, `eve-${Date.now()}`, password);
  const path = `profile/${encodeURIComponent(eve.userId)}`;
  await eve.call('PUT', `${path}/displayname`, { displayname: 'Eve' });
  const deviceId = (await eve.call('GET', 'account/whoami'))['device_id'] ?? '';
  await eve.call('POST', 'keys/upload', { device_keys: newDeviceKeys({ userId: eve.userId, deviceId }) });
  const shared = await meetInRoom(eve, guest);
  const heard = await eve.say(shared, { msgtype: 'm.text', body: 'you heard this' });
  await until('the guest hears it', () => guest.call('GET', room(shared, `event/${encodeURIComponent(heard)}`)));
  await until('the device is seen', async () => (await devicesOf(guest, eve.userId))[deviceId]);
  const { room_id: open = '' } = await host.call('POST', 'createRoom', { preset: 'public_chat' });
  await eve.call('POST', room(open, 'join'), {});
  const earlier = await eve.say(open, { msgtype: 'm.text', body: 'before you came' });
  const { room_id: invited = '' } = await guest.call('POST', 'createRoom', { preset: 'private_chat' });
  await guest.call('POST', room(invited, 'invite'), { user_id: eve.userId });

  await deactivate(eve, erase);
  for (const roomId of [shared, invited]) {
    await until(`they have left ${roomId}`, async () => {
      const { membership } = await guest.call(
        'GET',
        room(roomId, `state/m.room.member/${encodeURIComponent(eve.userId)}`),
      );
      return membership === 'leave' ? true : undefined;
    });
  }
  await until('the devices are gone', async () =>
    Object.keys(await devicesOf(guest, eve.userId)).length === 0 ? true : undefined,
  );
  const kept = await guest.call('GET', room(shared, `event/${encodeURIComponent(heard)}`));
  assert.equal((kept as unknown as { content: Answer }).content['body'], 'you heard this');
  if (!erase) return;
  await assert.rejects(guest.call('GET', `${path}/displayname`), /: (?:403|404) /);
  await guest.call('POST', `join/${encodeURIComponent(open)}?server_name=${serverName}&via=${serverName}`, {});
  const event = await until('what they said before is there', async () => {
    const page = (await guest.call('GET', room(open, 'messages?dir=b&limit=100'))) as unknown as {
      readonly chunk: readonly { readonly event_id: string; readonly content: Answer }[];
    };
    return page.chunk.find(({ event_id: eventId }) => eventId === earlier);
  });
  assert.deepEqual(event.content, {}, 'and says nothing to who comes later');
}
