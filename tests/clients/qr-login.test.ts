import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { QrCodeData, QrCodeIntent } from '@matrix-org/matrix-sdk-crypto-wasm';
import { MSC4108SecureChannel } from 'matrix-js-sdk/lib/rendezvous/channels/MSC4108SecureChannel.js';
import {
  isSignInWithQRAvailable,
  linkNewDeviceByGeneratingQR,
  MSC4108SignInWithQR,
  signInByGeneratingQR,
} from 'matrix-js-sdk/lib/rendezvous/index.js';
import { MSC4108RendezvousSession } from 'matrix-js-sdk/lib/rendezvous/transports/MSC4108RendezvousSession.js';
import { appUri, callback, type OAuthServer, startOAuthServer } from '@portico/testkit/oauth-server.ts';
import {
  canSignItself,
  type EncryptedPerson,
  logInEncrypted,
  seesSigned,
  setUpKeys,
  startEncrypted,
} from './encrypted-person.ts';
import { createPeople, type People } from './person.ts';
import { createClient, type MatrixClient, OAuth2, silent } from './sdk.ts';

suite('matrix-js-sdk logs a device in with a QR code', () => {
  let oauth: OAuthServer;
  let people: People;
  before(async () => {
    oauth = await startOAuthServer();
    people = createPeople(() => oauth.base);
  });
  after(async () => {
    people.stopAll();
    await oauth.close();
    assert.deepEqual(oauth.server.errors, []);
  });
  const never = new AbortController().signal;
  const failed = (reason: unknown): void => assert.fail(`It failed: ${String(reason)}`);
  const bare = (): MatrixClient => createClient({ baseUrl: oauth.base, logger: silent });

  /** The one that shows a code is there; the other one has a camera. */
  function scan(shown: MSC4108SignInWithQR, intent: QrCodeIntent, client?: MatrixClient): MSC4108SignInWithQR {
    const code = QrCodeData.fromBytes(shown.code ?? new Uint8Array());
    assert.equal(code.mode, intent);
    const session = new MSC4108RendezvousSession({ url: code.rendezvousUrl ?? '', onFailure: failed });
    return new MSC4108SignInWithQR(new MSC4108SecureChannel(session, code.publicKey, failed), true, client, failed);
  }

  /** Both sides go on until the new device is there, with the keys of the other. */
  async function meet(phone: EncryptedPerson, there: MSC4108SignInWithQR, here: MSC4108SignInWithQR): Promise<void> {
    await Promise.all([there.negotiateProtocols(), here.negotiateProtocols()]);
    assert.match(there.checkCode ?? '', /^\d\d$/);
    assert.equal(there.checkCode, here.checkCode);
    const metadata = await bare().getAuthMetadata();
    const clientId = await OAuth2.registerClient(
      metadata,
      { client_name: 'A Laptop', client_uri: appUri, redirect_uris: [callback] },
      silent,
    );
    const { deviceId } = new OAuth2(metadata, { clientId }, silent).context;
    const [asked, { userCode }] = await Promise.all([
      there.deviceAuthorizationGrant(),
      here.deviceAuthorizationGrant({ metadata, clientId, deviceId }),
    ]);
    const browser = oauth.newBrowser();
    const page = await browser.open(asked.verificationUri ?? '');
    const code = /name="user_code" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
    assert.equal(code, userCode);
    const login = await browser.submit({ ...page, url: page.url.split('?')[0] ?? '' }, { user_code: code });
    const consent = await browser.submit(login, { user: phone.userId, password: phone.session.password });
    assert.match((await browser.submit(consent, { answer: 'yes' })).html, /is let in/);

    const shared = there.shareSecrets();
    const tokens = await here.completeLoginOnNewDevice({ clientId });
    const accessToken = tokens?.access_token ?? '';
    assert.equal(
      (await createClient({ baseUrl: oauth.base, accessToken, logger: silent }).whoami()).device_id,
      deviceId,
    );
    const [{ secrets }] = await Promise.all([here.shareSecrets(), shared]);
    await here.close();
    const laptop = await startEncrypted(people, { ...phone.session, accessToken, deviceId });
    assert.ok(secrets);
    await laptop.crypto.importSecretsBundle?.(secrets);
    await canSignItself(laptop, phone);
    await laptop.crypto.crossSignDevice(deviceId);
    await seesSigned(phone, laptop);
  }

  async function newPhone(): Promise<EncryptedPerson> {
    const { userId } = await oauth.server.registerUser();
    const phone = await logInEncrypted(people, userId, 'a password');
    await setUpKeys(phone);
    return phone;
  }

  test('which the device shows that is logged in', async () => {
    const phone = await newPhone();
    assert.equal(await isSignInWithQRAvailable(phone.client), true);
    const there = await linkNewDeviceByGeneratingQR(phone.client, failed, never);
    await meet(phone, there, scan(there, QrCodeIntent.Reciprocate));
  });

  test('which the device shows that is new', async () => {
    const phone = await newPhone();
    const here = await signInByGeneratingQR(bare(), failed, never);
    await meet(phone, scan(here, QrCodeIntent.Login, phone.client), here);
  });
});
