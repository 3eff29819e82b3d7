import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type TestServer, testSharedSecret } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

/** Has somebody erased, and gives the report once it is done. */
export async function erase(server: TestServer, person: TestClient): Promise<Record<string, number>> {
  const auth = { type: 'm.login.password', password: 'a password' };
  const deactivated = await person.post('/_matrix/client/v3/account/deactivate', { erase: true, auth });
  assert.equal(deactivated.status, 200);
  const admin = await registerAdmin(server);
  for (const end = Date.now() + 60_000; Date.now() < end; await pause(20)) {
    const { status, body } = await admin.get(`/_portico/admin/v1/erasures/${person.userId}`);
    assert.equal(status, 200);
    if (body['finished_at'] !== null) return body['erased'] as Record<string, number>;
  }
  throw new Error('The erasure does not end');
}

async function registerAdmin(server: TestServer): Promise<TestClient> {
  const path = '/_synapse/admin/v1/register';
  const nonce = String((await server.anonymous.get(path)).body['nonce']);
  const username = `admin-${randomUUID()}`;
  const mac = createHmac('sha1', testSharedSecret).update(`${nonce}\0${username}\0secret\0admin`).digest('hex');
  const request = { nonce, username, password: 'secret', admin: true, mac };
  const { body } = await server.anonymous.post(path, request);
  const [userId, accessToken, deviceId] = [body['user_id'], body['access_token'], body['device_id']].map(String);
  return server.as({ userId: userId ?? '', accessToken: accessToken ?? '', deviceId: deviceId ?? '' });
}
