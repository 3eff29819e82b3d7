import assert from 'node:assert/strict';
import {
  arriveEncrypted,
  compareEmoji,
  logInEncrypted,
  say,
  seesSigned,
  talkAndVerify,
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
    const roomId = await talkAndVerify(alice, bob);
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
