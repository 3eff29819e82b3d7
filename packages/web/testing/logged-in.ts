import type { TestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { type OpenPage, openPage } from './browser.ts';

export const password = 'a password';

/** The page of somebody who has just logged in there. */
export async function openPageOf(
  server: Pick<TestServer, 'baseUrl'>,
  person: Pick<TestClient, 'userId'>,
  onTheWay?: Parameters<typeof openPage>[1],
): Promise<OpenPage> {
  const page = openPage(`${server.baseUrl}/account`, onTheWay);
  await page.type('User name', person.userId);
  await page.type('Password', password);
  await page.press('Log in');
  await page.reads('Logged in as');
  return page;
}
