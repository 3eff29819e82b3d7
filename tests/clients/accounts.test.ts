import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareClient } from './person.ts';
import { createClient, silent } from './sdk.ts';
import { describeOnStage } from './stage.ts';

describeOnStage('matrix-js-sdk with an account', (stage) => {
  test('a new name and avatar show in the rooms one shares, and in the profile', async () => {
    const { alice, bob } = stage;
    const roomId = await stage.sharedRoom();
    await alice.client.setDisplayName('Alice in rooms');
    await alice.client.setAvatarUrl('mxc://localhost/alice');
    const seen = await bob.until('the new name', () => {
      const member = bob.client.getRoom(roomId)?.getMember(alice.userId);
      return member?.rawDisplayName === 'Alice in rooms' && member.getMxcAvatarUrl() !== undefined && member;
    });
    assert.equal(seen.getMxcAvatarUrl(), 'mxc://localhost/alice');
    assert.deepEqual(await bob.client.getProfileInfo(alice.userId), {
      displayname: 'Alice in rooms',
      avatar_url: 'mxc://localhost/alice',
    });
  });

  test('extended profile fields are there for clients that look for them', async () => {
    const { alice, bob } = stage;
    assert.equal(await alice.client.doesServerSupportExtendedProfiles(), true);
    await alice.client.setExtendedProfileProperty('m.tz', 'Europe/Rome');
    await alice.client.setExtendedProfileProperty('org.example.pets', ['cat']);
    assert.equal(await bob.client.getExtendedProfileProperty(alice.userId, 'm.tz'), 'Europe/Rome');
    await alice.client.deleteExtendedProfileProperty('m.tz');
    const profile = await bob.client.getExtendedProfile(alice.userId);
    assert.deepEqual([profile['m.tz'], profile['org.example.pets']], [undefined, ['cat']]);
  });

  test('devices are named, listed and deleted', async () => {
    const { people, alice } = stage;
    const phone = await people.logIn(alice.userId, alice.password);
    const id = phone.client.getDeviceId() ?? '';
    await alice.client.setDeviceDetails(id, { display_name: 'My phone' });
    const { devices } = await alice.client.getDevices();
    assert.equal(devices.find(({ device_id: each }) => each === id)?.display_name, 'My phone');
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: alice.userId },
      password: alice.password,
    };
    await assert.rejects(alice.client.deleteDevice(id), { httpStatus: 401 });
    await alice.client.deleteMultipleDevices([id], auth);
    await assert.rejects(phone.client.whoami(), { errcode: 'M_UNKNOWN_TOKEN' });
    phone.client.stopClient();
  });

  test('a session is refreshed', async () => {
    const { server, bob } = stage;
    const bare = bareClient(server.baseUrl);
    const login = await bare.loginRequest({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: bob.userId },
      password: bob.password,
      refresh_token: true,
    });
    assert.ok(login.refresh_token !== undefined && login.expires_in_ms !== undefined);
    const refreshed = await bare.refreshToken(login.refresh_token);
    const { baseUrl } = server;
    const client = createClient({ baseUrl, accessToken: refreshed.access_token, logger: silent });
    assert.equal((await client.whoami()).device_id, login.device_id);
    await assert.rejects(bare.refreshToken(login.refresh_token), { errcode: 'M_UNKNOWN_TOKEN' });
  });

  test('a password is changed, and an account ended', async () => {
    const { people, bob } = stage;
    const carol = await people.arrive('carol');
    const auth = { type: 'm.login.password', user: carol.userId, password: carol.password };
    await carol.client.setPassword(auth, 'another password', false);
    await assert.rejects(people.logIn(carol.userId, carol.password), { errcode: 'M_FORBIDDEN' });
    const { room_id: roomId } = await bob.client.createRoom({ invite: [carol.userId] });
    await carol.inRoom(roomId, 'invite');
    await carol.client.joinRoom(roomId);
    await carol.client.deactivateAccount({ ...auth, password: 'another password' }, false);
    carol.client.stopClient();
    const event = await bob.until('carol to be gone', () => {
      const member = bob.client.getRoom(roomId)?.getMember(carol.userId);
      return member?.membership === 'leave' && member.events.member;
    });
    // What the client adds has no value, and is no part of the JSON.
    const content = JSON.parse(JSON.stringify(event.getContent())) as unknown;
    assert.deepEqual(content, { membership: 'leave', 'org.matrix.msc3759.deactivated': true });
    await assert.rejects(people.logIn(carol.userId, 'another password'), { errcode: 'M_USER_DEACTIVATED' });
  });
});
