import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { startTestServer, type TestServer, type TestServerOptions } from './server.ts';
import { createSyncClient, type SyncClient } from './sync-client.ts';

/**
 * A server for the tests of a suite, to be called where the suite is described. It runs from before its first test until after
 * the last one, and must not have logged an error by then.
 */
export function serverOfSuite(options: TestServerOptions = {}): TestServer {
  const server = {} as TestServer;
  before(async () => {
    Object.assign(server, await startTestServer(options));
  });
  after(async () => {
    await server.close();
    assert.deepEqual(server.errors, []);
  });
  return server;
}

/** Two people who have just registered, in a room that one of them made. */
export type Pair = { readonly alice: SyncClient; readonly bob: SyncClient; readonly roomId: string };

export async function createPair(server: Pick<TestServer, 'registerUser'>): Promise<Pair> {
  const [alice, bob] = [createSyncClient(await server.registerUser()), createSyncClient(await server.registerUser())];
  const roomId = await alice.createRoom();
  await bob.join(roomId);
  return { alice, bob, roomId };
}
