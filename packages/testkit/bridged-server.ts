import type { TestBridge } from './bridge.ts';
import { startTestServer, type TestServer, type TestServerOptions } from './server.ts';
import type { TestClient } from './test-client.ts';

/** A server with bridges, and the user of the first one's own. */
export type BridgedServer = { readonly server: TestServer; readonly as: TestClient };

/** They run until the test, or the suite whose `after` is given, is over. */
export async function startBridgedServer(
  context: { after(end: () => Promise<void>): void },
  bridges: readonly [TestBridge, ...TestBridge[]],
  { settings, ...options }: TestServerOptions = {},
): Promise<BridgedServer> {
  const files = bridges.map(({ file }) => file);
  const server = await startTestServer({
    ...options,
    settings: { APPLICATION_SERVICES: JSON.stringify(files), ...settings },
  });
  context.after(async () => {
    await server.close();
    await Promise.all(bridges.map((bridge) => bridge.close()));
  });
  return { server, as: server.as({ userId: '@_bot:localhost', accessToken: bridges[0].asToken, deviceId: '' }) };
}
