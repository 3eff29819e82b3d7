import assert from 'node:assert/strict';
import {
  arriveEncrypted,
  compareEmoji,
  encryptedRoom,
  logInEncrypted,
  say,
  seesSigned,
  setUpKeys,
} from '../../tests/clients/encrypted-person.ts';
import { createPeople } from '../../tests/clients/person.ts';

/** Two people with matrix-js-sdk, one on each server, talk encrypted and verify each other; then one of them has another device. */
export async function talkEncrypted(hostUrl: string, guestUrl: string, suffix: string): Promise<void> {
  const [here, there] = [createPeople(() => hostUrl), createPeople(() => guestUrl)];
  try {
    const [alice, bob] = await Promise.all([
      arriveEncrypted(here, `alice-${suffix}`),
      arriveEncrypted(there, `bob-${suffix}`),
    ]);
    await setUpKeys(alice);
    await setUpKeys(bob);
    const roomId = await encryptedRoom(alice, bob);
    await say(alice, roomId, 'from alice', [alice, bob]);
    await say(bob, roomId, 'from bob', [alice, bob]);
    await compareEmoji(alice, () => alice.crypto.requestVerificationDM(bob.userId, roomId), bob);
    for (const [who, whom] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      await who.eventually(`${whom.userId} verified`, async () =>
        (await who.crypto.getUserVerificationStatus(whom.userId)).isCrossSigningVerified(),
      );
    }
    const phone = await logInEncrypted(here, alice.userId, alice.password);
    await compareEmoji(phone, () => phone.crypto.requestOwnUserVerification(), alice);
    await seesSigned(bob, phone);
    await say(bob, roomId, 'to all of them', [alice, phone, bob]);
    await say(phone, roomId, 'and back', [alice, phone, bob]);
    for (const { undecryptable } of [alice, bob, phone]) assert.deepEqual(undecryptable, []);
  } finally {
    here.stopAll();
    there.stopAll();
  }
}
