import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import * as browserDatabase from 'fake-indexeddb';
import {
  CryptoEvent,
  type CryptoApi,
  type GeneratedSecretStorageKey,
  type Verifier,
  VerificationPhase,
  type VerificationRequest,
  VerifierEvent,
} from 'matrix-js-sdk/lib/crypto-api/index.js';
import { RustBackupManager } from 'matrix-js-sdk/lib/rust-crypto/backup.js';
import type { People, Person, Session } from './person.ts';
import { EventType, MatrixEventEvent, Method, Preset } from './sdk.ts';

// Where the client keeps its keys; looked for among the globals, as in a browser.
Object.assign(globalThis, browserDatabase);

// Clients wait for some seconds before they back up a new key, lest all do so at once.
Object.assign(RustBackupManager, { maxBackupLoopStartDelayMillis: 0 });

/** What somebody writes down to get back at their keys. */
export type RecoveryKey = GeneratedSecretStorageKey;

/** A device of somebody who encrypts, with the Rust crypto of matrix-js-sdk and its database. */
export type EncryptedPerson = Person & {
  readonly session: Session;
  readonly crypto: CryptoApi;
  /**
   * Events that could not be decrypted when the client tried, as often as it did: but for those from before the device,
   * whose keys are in the backup.
   */
  readonly undecryptable: readonly string[];
  /** Verifications that others have asked for. */
  readonly requests: readonly VerificationRequest[];
  /** Tells the client the key to the account's secret storage. */
  remember(key: RecoveryKey): void;
};

/** The device begins with what it has stored: a restart of its client, if it was there before. */
export async function startEncrypted(people: People, session: Session): Promise<EncryptedPerson> {
  const undecryptable: string[] = [];
  const requests: VerificationRequest[] = [];
  let recovery: RecoveryKey | undefined;
  const person = await people.start(
    session,
    {},
    {
      client: {
        cryptoCallbacks: {
          getSecretStorageKey: ({ keys }) => {
            const [keyId] = Object.keys(keys);
            return Promise.resolve(keyId === undefined || recovery === undefined ? null : [keyId, recovery.privateKey]);
          },
        },
      },
      async beforeStart(client) {
        client.on(MatrixEventEvent.Decrypted, (event) => {
          const { decryptionFailureReason: reason } = event;
          if (reason === null || reason.startsWith('HISTORICAL_MESSAGE_')) return;
          undecryptable.push(`${event.getType()} ${event.getId()} ${reason}`);
        });
        client.on(CryptoEvent.VerificationRequestReceived, (request) => requests.push(request));
        await client.initRustCrypto({ cryptoDatabasePrefix: `${session.userId} ${session.deviceId}` });
      },
    },
  );
  const crypto = person.client.getCrypto();
  assert.ok(crypto);
  return { ...person, session, crypto, undecryptable, requests, remember: (key) => void (recovery = key) };
}

export async function logInEncrypted(people: People, userId: string, password: string): Promise<EncryptedPerson> {
  return startEncrypted(people, await people.openSession(userId, password));
}

export async function arriveEncrypted(people: People, name: string): Promise<EncryptedPerson> {
  const { userId, password } = await people.register(name);
  return logInEncrypted(people, userId, password);
}

/** Cross-signing keys, secret storage and a backup, as a client sets them up for a new account. */
export async function setUpKeys({ crypto, remember }: EncryptedPerson): Promise<RecoveryKey> {
  const key = await crypto.createRecoveryKeyFromPassphrase();
  remember(key);
  await crypto.bootstrapCrossSigning({
    // A first upload is let through as it is.
    authUploadDeviceSigningKeys: (makeRequest) => makeRequest(null),
  });
  await crypto.bootstrapSecretStorage({
    createSecretStorageKey: () => Promise.resolve(key),
    setupNewSecretStorage: true,
    setupNewKeyBackup: true,
  });
  return key;
}

/** Waits until the backup has that many keys. */
export function backedUp({ client, eventually }: EncryptedPerson, keys: number): Promise<void> {
  // What the client itself knows of its backup is what it was at the beginning.
  const state = () => client.http.authedRequest<{ readonly count: number }>(Method.Get, '/room_keys/version');
  return eventually(`${keys} keys in the backup`, async () => (await state()).count >= keys);
}

async function inPhase({ until }: Person, request: VerificationRequest, phase: VerificationPhase): Promise<void> {
  await until(`phase ${phase} of a verification`, () => {
    assert.notEqual(request.phase, VerificationPhase.Cancelled, `cancelled: ${request.cancellationCode}`);
    return request.phase >= phase;
  });
}

/** What a person is shown to compare. */
function shownBy(verifier: Verifier): Promise<{ readonly emoji: string; readonly confirm: () => Promise<void> }> {
  return new Promise((resolve) => {
    const show = (sas: NonNullable<ReturnType<Verifier['getShowSasCallbacks']>>) =>
      resolve({ emoji: (sas.sas.emoji ?? []).map(([symbol]) => symbol).join(' '), confirm: sas.confirm });
    const shown = verifier.getShowSasCallbacks();
    if (shown === null) verifier.once(VerifierEvent.ShowSas, show);
    else show(shown);
  });
}

/** In milliseconds: after that a message between two clients has been overlooked by one of them. */
const longestStep = 20_000;

/** Whether it worked out; else the verification is cancelled. */
async function tryEmoji(
  asker: EncryptedPerson,
  request: VerificationRequest,
  asked: EncryptedPerson,
): Promise<boolean> {
  const received = await asked.until('a request to verify', () =>
    asked.requests.find(({ transactionId }) => transactionId === request.transactionId),
  );
  await received.accept();
  await inPhase(asker, request, VerificationPhase.Ready);
  const first = await request.startVerification('m.sas.v1');
  const second = await asked.until('the start of the verification', () => received.verifier);
  const verified = Promise.all([first.verify(), second.verify()]);
  verified.catch(() => {});
  const shown = await Promise.race([
    Promise.all([shownBy(first), shownBy(second)]),
    delay(longestStep, undefined, { ref: false }),
  ]);
  if (shown === undefined) {
    await request.cancel();
    return false;
  }
  assert.equal(shown[0].emoji.split(' ').length, 7);
  assert.equal(shown[0].emoji, shown[1].emoji);
  await Promise.all(shown.map(({ confirm }) => confirm()));
  if ((await Promise.race([verified, delay(longestStep, undefined, { ref: false })])) === undefined) {
    await request.cancel();
    return false;
  }
  await Promise.all([
    inPhase(asker, request, VerificationPhase.Done),
    inPhase(asked, received, VerificationPhase.Done),
  ]);
  return true;
}

/**
 * Two devices compare emoji, one of which asks the other, and both say that they are the same. The client sometimes takes
 * no notice of a key that the other one sends before it has heard that its own has been sent, which is soon on one
 * machine: then they begin again, as people do.
 */
export async function compareEmoji(
  asker: EncryptedPerson,
  ask: () => Promise<VerificationRequest>,
  asked: EncryptedPerson,
): Promise<void> {
  // The client takes no request of a device of which it has heard only that there is one.
  await knowsKeys(asked, asker);
  for (let attempt = 1; attempt <= 3; attempt++) {
    if (await tryEmoji(asker, await ask(), asked)) return;
  }
  assert.fail(`${asker.userId} and ${asked.userId} saw no emoji`);
}

/** Waits until somebody's client knows the keys of a device. */
function knowsKeys(who: EncryptedPerson, { userId, session }: EncryptedPerson): Promise<void> {
  return who.eventually(`the device ${session.deviceId} of ${userId}`, async () => {
    const devices = await who.crypto.getUserDeviceInfo([userId]);
    return devices.get(userId)?.has(session.deviceId) === true;
  });
}

/**
 * Waits until a new device can sign itself: its client knows the keys that it checks those from the secret storage by, and
 * the server has the keys that are to be signed. The client itself waits for neither.
 */
export async function canSignItself(device: EncryptedPerson, other: EncryptedPerson): Promise<void> {
  await device.eventually('its cross-signing keys', () => device.crypto.userHasCrossSigningKeys(device.userId));
  await knowsKeys(other, device);
}

/** Waits until somebody's client knows that a device is signed by its owner. */
export function seesSigned(who: EncryptedPerson, { userId, session }: EncryptedPerson): Promise<void> {
  return who.eventually(`the device ${session.deviceId} of ${userId}, signed`, async () => {
    const status = await who.crypto.getDeviceVerificationStatus(userId, session.deviceId);
    return status?.signedByOwner === true;
  });
}

/** A room with both in it, in which all messages are encrypted. */
export async function encryptedRoom(alice: Person, bob: Person): Promise<string> {
  const { room_id: roomId } = await alice.client.createRoom({
    preset: Preset.PrivateChat,
    invite: [bob.userId],
    initial_state: [{ type: EventType.RoomEncryption, state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }],
  });
  await bob.inRoom(roomId, 'invite');
  await bob.client.joinRoom(roomId);
  await Promise.all([alice.inRoom(roomId), bob.inRoom(roomId)]);
  await alice.until(
    'bob in the room',
    () => alice.client.getRoom(roomId)?.getMember(bob.userId)?.membership === 'join',
  );
  return roomId;
}

/** Somebody says something that all of these devices can read, and the server cannot. */
export async function say(
  by: EncryptedPerson,
  roomId: string,
  text: string,
  to: readonly EncryptedPerson[],
): Promise<void> {
  await by.client.sendTextMessage(roomId, text);
  for (const reader of to) {
    const event = await reader.reads(roomId, text);
    assert.equal(event.getWireType(), 'm.room.encrypted');
  }
}

/** Two people with new keys for signing talk in an encrypted room, whose ID is answered, and verify each other there. */
export async function talkAndVerify(alice: EncryptedPerson, bob: EncryptedPerson): Promise<string> {
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
  return roomId;
}
