import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { arriveEncrypted, type EncryptedPerson, logInEncrypted } from '../../tests/clients/encrypted-person.ts';
import type { People } from '../../tests/clients/person.ts';
import { EventType, Method, Preset, SyncState } from '../../tests/clients/sdk.ts';
import type { Bridge } from './bridge-process.ts';
import type { Restartable, Step } from './scenario.ts';

type Keys = { readonly one_time_keys: { readonly [userId: string]: { readonly [deviceId: string]: object } } };
type Devices = { readonly device_keys: { readonly [userId: string]: { readonly [deviceId: string]: unknown } } };

/** More than a bridge uploads at once. */
const claims = 60;
/** In milliseconds. A bridge that syncs hears how many keys are left when its next poll is answered. */
const patience = 60_000;

/** What people with matrix-js-sdk and a bridge that encrypts do in an encrypted room. */
export async function bridgeEncrypted(bridge: Bridge, people: People, server: Restartable, step: Step): Promise<void> {
  const { bot, prefix, domain } = bridge.options;
  const [botId, ghost] = [`@${bot}:${domain}`, `@${prefix}anna:${domain}`];
  const alice = await arriveEncrypted(people, `alice-${bridge.options.id}`);
  const told: string[] = [];
  let roomId = '';
  const say = async (text: string): Promise<void> => {
    await alice.client.sendTextMessage(roomId, text);
    told.push(text);
  };
  const hasBeenTold = async (): Promise<void> => {
    await bridge.until(`"${told.at(-1)}" is decrypted`, () => bridge.texts(roomId).length >= told.length);
    assert.deepEqual(bridge.texts(roomId), told);
  };
  const ghostSays = async (text: string, readers: readonly EncryptedPerson[]): Promise<void> => {
    await bridge.say({ roomId, by: 'anna', text });
    for (const reader of readers) {
      const event = await reader.reads(roomId, text);
      assert.deepEqual([event.getWireType(), event.getSender()], ['m.room.encrypted', ghost]);
    }
  };

  await step('an encrypted room: messages pass both ways', async () => {
    const content = { algorithm: 'm.megolm.v1.aes-sha2' };
    const created = await alice.client.createRoom({
      preset: Preset.PrivateChat,
      invite: [botId, ghost],
      initial_state: [{ type: EventType.RoomEncryption, state_key: '', content }],
    });
    roomId = created.room_id;
    const room = await alice.inRoom(roomId);
    for (const userId of [botId, ghost]) {
      await alice.until(`${userId} in the room`, () => room.getMember(userId)?.membership === 'join');
    }
    await bridge.until('it knows that the room is encrypted', () => bridge.knowsEncrypted(roomId));
    await say('a secret');
    await say('another one');
    await hasBeenTold();
    await ghostSays('a secret of the network', [alice]);
  });

  await step('an encrypted room: nothing is lost while the bridge and the server are away', async () => {
    await bridge.stop();
    // A new session, whose key the bridge is sent while it is away.
    await alice.crypto.forceDiscardSession(roomId);
    for (const text of ['while away 1', 'while away 2']) await say(text);
    await server.end('SIGKILL');
    await server.start();
    await alice.until('its client is back', () => alice.client.getSyncState() === SyncState.Syncing);
    await say('and later');
    await bridge.start();
    await hasBeenTold();
    await ghostSays('the network again', [alice]);
  });

  await step('an encrypted room: the bridge learns of a new device', async () => {
    const phone = await logInEncrypted(people, alice.userId, alice.password);
    await phone.inRoom(roomId);
    await alice.eventually('the bridge has its keys', async () =>
      (await bridge.devicesOf(alice.userId)).includes(phone.session.deviceId),
    );
    await ghostSays('to both devices', [alice, phone]);
    await phone.client.sendTextMessage(roomId, 'from the phone');
    told.push('from the phone');
    await hasBeenTold();
    assert.deepEqual(phone.undecryptable, []);
  });

  await step('an encrypted room: the bridge replaces one-time keys that are taken', async () => {
    const query = { device_keys: { [botId]: [] } };
    const { http } = alice.client;
    const known = await http.authedRequest<Devices>(Method.Post, '/keys/query', undefined, query);
    const [deviceId = ''] = Object.keys(known.device_keys[botId] ?? {});
    const taken = new Set<string>();
    const body = { one_time_keys: { [botId]: { [deviceId]: 'signed_curve25519' } } };
    for (const end = Date.now() + patience; taken.size < claims;) {
      const { one_time_keys: keys } = await http.authedRequest<Keys>(Method.Post, '/keys/claim', undefined, body);
      const [key] = Object.keys(keys[botId]?.[deviceId] ?? {});
      if (key === undefined) {
        assert.ok(Date.now() < end, `there are no more than ${taken.size} keys`);
        await delay(50);
        continue;
      }
      assert.ok(!taken.has(key), `${key} is given twice`);
      taken.add(key);
    }
  });
  assert.deepEqual(alice.undecryptable, []);
}
