import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { arriveEncrypted, compareEmoji, logInEncrypted, say, seesSigned, talkAndVerify } from './encrypted-person.ts';
import { createPeople } from './person.ts';

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`matrix-js-sdk encrypts between two servers, one of which is away for a while (${engine})`, async (context) => {
    const network = await startTestNetwork(['hs1', 'hs2'], { engine });
    context.after(() => network.close());
    const [here, there] = [
      createPeople(() => network.server('hs1').baseUrl),
      createPeople(() => network.server('hs2').baseUrl),
    ];
    context.after(() => {
      here.stopAll();
      there.stopAll();
    });
    const [alice, bob] = await Promise.all([arriveEncrypted(here, 'alice'), arriveEncrypted(there, 'bob')]);
    const roomId = await talkAndVerify(alice, bob);

    await network.stop('hs2');
    const phone = await logInEncrypted(here, alice.userId, alice.password);
    await compareEmoji(phone, () => phone.crypto.requestOwnUserVerification(), alice);
    await say(alice, roomId, 'while the other server is away', [alice, phone]);
    await network.start('hs2');
    bob.client.retryImmediately();
    await bob.reads(roomId, 'while the other server is away');
    await seesSigned(bob, phone);
    await say(bob, roomId, 'to all of them', [alice, phone, bob]);
    await say(phone, roomId, 'and back', [alice, phone, bob]);
    for (const { undecryptable } of [alice, bob, phone]) assert.deepEqual(undecryptable, []);
    for (const name of ['hs1', 'hs2']) assert.deepEqual(network.server(name).errors, []);
  });
}
