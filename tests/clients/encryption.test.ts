import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import {
  arriveEncrypted,
  backedUp,
  canSignItself,
  compareEmoji,
  encryptedRoom,
  logInEncrypted,
  say,
  seesSigned,
  setUpKeys,
  startEncrypted,
  type EncryptedPerson,
  type RecoveryKey,
} from './encrypted-person.ts';
import { createPeople, type People } from './person.ts';
import { Preset } from './sdk.ts';

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`matrix-js-sdk encrypts (${engine})`, () => {
    let server: TestServer;
    let people: People;
    let [alice, bob, phone, tablet] = [] as unknown as [
      EncryptedPerson,
      EncryptedPerson,
      EncryptedPerson,
      EncryptedPerson,
    ];
    let recovery: RecoveryKey;
    let roomId = '';
    before(async () => {
      server = await startTestServer({ engine });
      people = createPeople(() => server.baseUrl);
    });
    after(async () => {
      const failures = [alice, bob, phone, tablet].map(({ undecryptable }) => undecryptable.slice());
      people.stopAll();
      await server.close();
      assert.deepEqual(server.errors, []);
      assert.deepEqual(failures, [[], [], [], []]);
    });

    test('two people set up their keys and write to each other', async () => {
      [alice, bob] = await Promise.all([arriveEncrypted(people, 'alice'), arriveEncrypted(people, 'bob')]);
      recovery = await setUpKeys(alice);
      await setUpKeys(bob);
      roomId = await encryptedRoom(alice, bob);
      await say(alice, roomId, 'from alice', [alice, bob]);
      await say(bob, roomId, 'from bob', [alice, bob]);
      await say(alice, roomId, 'and again', [alice, bob]);
      await Promise.all([backedUp(alice, 2), backedUp(bob, 2)]);
    });

    test('a third device is verified by emoji, and gets the keys and the history from the other one', async () => {
      phone = await logInEncrypted(people, alice.userId, alice.password);
      await compareEmoji(phone, () => phone.crypto.requestOwnUserVerification(), alice);
      await say(bob, roomId, 'to three devices', [alice, phone, bob]);
      await say(phone, roomId, 'from the phone', [alice, phone, bob]);
      assert.equal(await phone.crypto.isCrossSigningReady(), true);
      for (const who of [alice, bob]) await seesSigned(who, phone);
      for (const text of ['from alice', 'from bob', 'and again']) await phone.reads(roomId, text);
    });

    test('two people verify each other in a room, and their devices see it', async () => {
      const { room_id: plain } = await alice.client.createRoom({ preset: Preset.PrivateChat, invite: [bob.userId] });
      await bob.client.joinRoom(plain);
      await Promise.all([alice.inRoom(plain), bob.inRoom(plain)]);
      await compareEmoji(alice, () => alice.crypto.requestVerificationDM(bob.userId, plain), bob);
      const sees = async (who: EncryptedPerson, whom: EncryptedPerson) =>
        (await who.crypto.getUserVerificationStatus(whom.userId)).isCrossSigningVerified();
      await bob.eventually('alice verified', () => sees(bob, alice));
      for (const device of [alice, phone]) await device.eventually('bob verified', () => sees(device, bob));
    });

    test('a fourth device signs itself and restores the history with the recovery key', async () => {
      tablet = await logInEncrypted(people, alice.userId, alice.password);
      tablet.remember(recovery);
      await backedUp(alice, 3);
      await canSignItself(tablet, alice);
      await tablet.crypto.bootstrapCrossSigning({});
      await tablet.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
      await tablet.crypto.checkKeyBackupAndEnable();
      const { total, imported } = await tablet.crypto.restoreKeyBackup();
      assert.ok(total > 0 && imported === total);
      const room = await tablet.inRoom(roomId);
      await tablet.client.scrollback(room, 100);
      for (const text of ['from alice', 'from bob', 'and again', 'to three devices', 'from the phone']) {
        await tablet.reads(roomId, text);
      }
      // Who encrypts for a device has asked for its keys.
      await say(bob, roomId, 'to four devices', [alice, phone, tablet, bob]);
      await seesSigned(bob, tablet);
    });

    test('a device that is away and out of one-time keys is reached through its fallback key', async () => {
      const { session } = bob;
      const away = server.as(session);
      bob.client.stopClient();
      const stranger = await server.registerUser();
      const claim = { one_time_keys: { [bob.userId]: { [session.deviceId]: 'signed_curve25519' } } };
      const claimOne = async () => {
        const { body } = await stranger.post('/_matrix/client/v3/keys/claim', claim);
        const claimed = body['one_time_keys'] as Record<string, Record<string, Record<string, { fallback?: boolean }>>>;
        return Object.values(claimed[bob.userId]?.[session.deviceId] ?? {})[0];
      };
      let last = await claimOne();
      while (last?.fallback !== true) {
        assert.ok(last, 'a fallback key is there');
        last = await claimOne();
      }
      const { body } = await away.post('/_matrix/client/v3/keys/upload', {});
      assert.deepEqual(body, { one_time_key_counts: { signed_curve25519: 0 } });

      const watch = await logInEncrypted(people, alice.userId, alice.password);
      await watch.inRoom(roomId);
      await watch.client.sendTextMessage(roomId, 'by the fallback key');
      bob = await startEncrypted(people, session);
      await bob.reads(roomId, 'by the fallback key');
      await say(bob, roomId, 'and back', [alice, watch, bob]);
      const left = async () => {
        const { body: counts } = await away.post('/_matrix/client/v3/keys/upload', {});
        return (counts['one_time_key_counts'] as { signed_curve25519: number }).signed_curve25519;
      };
      await bob.eventually('new one-time keys', async () => (await left()) > 0);
      assert.deepEqual(watch.undecryptable, []);
    });
  });
}
