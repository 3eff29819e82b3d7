import assert from 'node:assert/strict';
import { newDeviceKeys, newOneTimeKeys } from '../../packages/testkit/device-keys.ts';
import type { Person } from '../dev/client.ts';
import { meetInRoom } from './meeting.ts';
import { type Ephemeral, sees, type Sync } from './syncing.ts';
import { room, until } from './until.ts';

const asked = (person: Person, path: string, body: unknown) =>
  person.call('POST', path, body) as unknown as Promise<Readonly<Record<string, unknown>>>;

/** What the devices of two people on two servers are told of each other, once both are in a room. */
export async function meetDevices(host: Person, guest: Person): Promise<void> {
  const roomId = await meetInRoom(host, guest);
  for (const [one, other] of [
    [host, guest],
    [guest, host],
  ] as const) {
    const deviceId = (await one.call('GET', 'account/whoami'))['device_id'] ?? '';
    await one.call('POST', 'keys/upload', {
      device_keys: newDeviceKeys({ userId: one.userId, deviceId }),
      one_time_keys: newOneTimeKeys(2),
    });
    await until(`${other.userId} finds the device`, async () => {
      const found = await asked(other, 'keys/query', { device_keys: { [one.userId]: [] } });
      const devices = (found['device_keys'] as Record<string, Record<string, unknown>>)[one.userId];
      return devices?.[deviceId];
    });
    const claim = { one_time_keys: { [one.userId]: { [deviceId]: 'signed_curve25519' } } };
    const names = new Set<string>();
    for (let turn = 0; turn < 2; turn += 1) {
      const { one_time_keys: keys } = await asked(other, 'keys/claim', claim);
      const given = (keys as Record<string, Record<string, object>>)[one.userId]?.[deviceId] ?? {};
      for (const name of Object.keys(given)) names.add(name);
    }
    assert.equal(names.size, 2, 'each key is given once');

    const type = 'org.example.note';
    const content = { text: `to ${one.userId}` };
    const path = `sendToDevice/${type}/${Date.now()}`;
    await other.call('PUT', path, { messages: { [one.userId]: { [deviceId]: content } } });
    const got = await sees(one, 'a message to the device', ({ to_device: messages }) =>
      messages?.events?.find((event) => event.type === type),
    );
    assert.deepEqual(got.content, content);

    const typing = `typing/${encodeURIComponent(other.userId)}`;
    await other.call('PUT', room(roomId, typing), { typing: true, timeout: 30_000 });
    await sees(one, 'somebody type', (sync) =>
      ephemeral(sync, roomId, 'm.typing').find(({ content: { user_ids: users } }) =>
        (users as readonly string[]).includes(other.userId),
      ),
    );
    const said = await one.say(roomId, { msgtype: 'm.text', body: 'read me' });
    await until('the message arrives', () => other.call('GET', room(roomId, `event/${encodeURIComponent(said)}`)));
    await other.call('POST', room(roomId, `receipt/m.read/${encodeURIComponent(said)}`), {});
    await sees(one, 'the message read', (sync) =>
      ephemeral(sync, roomId, 'm.receipt').find(({ content: receipts }) =>
        JSON.stringify(receipts[said] ?? {}).includes(other.userId),
      ),
    );
  }
}

function ephemeral(sync: Sync, roomId: string, type: string): readonly Ephemeral[] {
  return (sync.rooms?.join?.[roomId]?.ephemeral?.events ?? []).filter((event) => event.type === type);
}
