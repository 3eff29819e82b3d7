import { must } from '@portico/testkit/people.ts';
import type { TestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { type OpenPage, openPage, type Surrounding } from './browser.ts';

export const password = 'a password';

/** The page of somebody who has just logged in there. */
export async function openPageOf(
  server: Pick<TestServer, 'baseUrl'>,
  person: Pick<TestClient, 'userId'>,
  onTheWay?: Parameters<typeof openPage>[1],
  around?: Surrounding,
): Promise<OpenPage> {
  const page = openPage(`${server.baseUrl}/account`, onTheWay, around);
  await page.type('User name', person.userId);
  await page.type('Password', password);
  await page.press('Log in');
  await page.reads('Logged in as');
  return page;
}

export const passwordLogin = ({ userId }: Pick<TestClient, 'userId'>, secret: string, device: string) => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user: userId },
  password: secret,
  initial_device_display_name: device,
});

/** Another device of somebody, with an app on it. */
export async function addDevice(
  server: Pick<TestServer, 'anonymous' | 'as'>,
  person: Pick<TestClient, 'userId'>,
  name: string,
): Promise<TestClient> {
  const body = await must(server.anonymous.post('/_matrix/client/v3/login', passwordLogin(person, password, name)));
  const { access_token: accessToken, device_id: deviceId } = body;
  return server.as({ userId: person.userId, deviceId: String(deviceId), accessToken: String(accessToken) });
}

export async function isLoggedIn(device: TestClient): Promise<boolean> {
  return (await device.get('/_matrix/client/v3/account/whoami')).status === 200;
}
