import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareClient, type Person } from './person.ts';
import { createClient, silent, type AuthDict, type MatrixError } from './sdk.ts';
import { describeOnStage } from './stage.ts';

const passwordOf = ({ userId, password }: Person): AuthDict => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user: userId },
  password,
});

/** What the client is asked for, as its interactive authentication goes about it. */
async function challenge(request: Promise<unknown>): Promise<string> {
  const error = await request.then(
    () => assert.fail('not asked for anything'),
    (error: unknown) => error as MatrixError,
  );
  const { flows, session } = error.data as { flows?: unknown; session?: string };
  assert.deepEqual([error.httpStatus, flows], [401, [{ stages: ['m.login.password'] }]]);
  assert.ok(session);
  return session;
}

describeOnStage('matrix-js-sdk with accounts', (stage) => {
  test('devices are named, and ended with a password', async () => {
    const { people } = stage;
    const carol = await people.arrive('carol');
    const phone = await people.logIn(carol.userId, carol.password);
    const phoneId = phone.client.getDeviceId() ?? '';
    await carol.client.setDeviceDetails(phoneId, { display_name: 'Phone' });
    const { devices } = await carol.client.getDevices();
    assert.equal(devices.length, 2);
    assert.equal(devices.find((device) => device.device_id === phoneId)?.display_name, 'Phone');
    const session = await challenge(carol.client.deleteDevice(phoneId));
    await carol.client.deleteDevice(phoneId, { ...passwordOf(carol), session });
    await assert.rejects(phone.client.whoami(), { errcode: 'M_UNKNOWN_TOKEN' });
    await carol.client.whoami();
  });

  test('a new password ends the other sessions, and the old one', async () => {
    const { server, people } = stage;
    const carol = await people.arrive('carol');
    const phone = await people.logIn(carol.userId, carol.password);
    await carol.client.setPassword(passwordOf(carol), 'a new one');
    await assert.rejects(phone.client.whoami(), { errcode: 'M_UNKNOWN_TOKEN' });
    const logIn = (password: string) =>
      bareClient(server.baseUrl).loginRequest({ ...passwordOf(carol), type: 'm.login.password', password });
    await assert.rejects(logIn(carol.password), { errcode: 'M_FORBIDDEN' });
    assert.equal((await logIn('a new one')).user_id, carol.userId);
  });

  test('a refresh token gives a new access token, which the client takes by itself', async () => {
    const { server, people } = stage;
    const carol = await people.arrive('carol');
    const { user_id: userId, ...session } = await bareClient(server.baseUrl).loginRequest({
      ...passwordOf(carol),
      type: 'm.login.password',
      refresh_token: true,
    });
    assert.ok(session.refresh_token && typeof session.expires_in_ms === 'number');
    const renewed = await bareClient(server.baseUrl).refreshToken(session.refresh_token);
    const client = createClient({
      baseUrl: server.baseUrl,
      userId,
      deviceId: session.device_id,
      accessToken: renewed.access_token,
      logger: silent,
    });
    assert.equal((await client.whoami()).device_id, session.device_id);
  });

  test('who deactivates their account leaves, and cannot come back', async () => {
    const { server, people, alice } = stage;
    const carol = await people.arrive('carol');
    const { room_id: roomId } = await alice.client.createRoom({});
    const room = await alice.inRoom(roomId);
    await alice.client.invite(roomId, carol.userId);
    await carol.client.joinRoom(roomId);
    await alice.until('carol in the room', () => room.getMember(carol.userId)?.membership === 'join');
    const session = await challenge(carol.client.deactivateAccount());
    carol.client.stopClient();
    await carol.client.deactivateAccount({ ...passwordOf(carol), session });
    await alice.until('carol gone', () => room.getMember(carol.userId)?.membership === 'leave');
    const again = bareClient(server.baseUrl).loginRequest({ ...passwordOf(carol), type: 'm.login.password' });
    await assert.rejects(again, { errcode: 'M_USER_DEACTIVATED' });
  });

  test('a file goes up, into a message, and down again for those who are logged in', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    const { 'm.upload.size': limit } = await alice.client.getMediaConfig(true);
    assert.ok((limit ?? 0) >= 1_000_000);
    const bytes = new Uint8Array(100_000).map((_, index) => index % 251);
    const { content_uri: url } = await alice.client.uploadContent(new Blob([bytes], { type: 'text/plain' }), {
      name: 'notes.txt',
    });
    await alice.client.sendMessage(roomId, { msgtype: 'm.file', body: 'notes.txt', url } as never);
    const event = await bob.reads(roomId, 'notes.txt');
    const address = bob.client.mxcUrlToHttp(
      String(event.getContent()['url']),
      undefined,
      undefined,
      undefined,
      false,
      true,
      true,
    );
    assert.ok(address);
    assert.equal((await fetch(address)).status, 401);
    const headers = { Authorization: `Bearer ${bob.client.getAccessToken()}` };
    const response = await fetch(address, { headers });
    assert.equal(response.headers.get('content-disposition'), 'inline; filename="notes.txt"');
    assert.deepEqual(await response.bytes(), bytes);
  });
});
