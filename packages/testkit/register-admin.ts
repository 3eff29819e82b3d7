import { sharedSecretMac } from '@portico/server/services/accounts/shared-secret.ts';
import { testSharedSecret, type TestServer } from './server.ts';
import type { TestClient } from './test-client.ts';

/** Makes an administrator's account as an operator's tools do, and gives a client that is logged in. */
export async function registerAdmin(
  server: Pick<TestServer, 'anonymous' | 'as'>,
  username: string,
): Promise<TestClient> {
  const path = '/_synapse/admin/v1/register';
  const { nonce } = (await server.anonymous.get(path)).body as { nonce: string };
  const user = { nonce, username, password: 'a password', admin: true };
  const { status, body } = await server.anonymous.post(path, { ...user, mac: sharedSecretMac(testSharedSecret, user) });
  if (status !== 200) throw new Error(`Registering the administrator failed: ${JSON.stringify(body)}`);
  const { user_id: userId, access_token: accessToken, device_id: deviceId } = body as Record<string, string>;
  if (!userId || !accessToken || !deviceId) throw new Error('A registration without a session');
  return server.as({ userId, accessToken, deviceId });
}
