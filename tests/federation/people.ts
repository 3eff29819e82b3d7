import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { createRoom, join } from '@portico/testkit/people.ts';
import type { SyncBody } from '@portico/testkit/sync-client.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

/** Two people of different servers. */
export async function openPair(
  context: TestContext,
  settings: Readonly<Record<string, string>> = {},
  engine: 'sqlite' | 'postgres' = 'sqlite',
) {
  const network = await startTestNetwork(['hs1', 'hs2'], { engine, settings });
  context.after(() => network.close());
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
  return { network, alice, bob };
}

/** Two people of different servers in one room. */
export async function meet(
  context: TestContext,
  engine: 'sqlite' | 'postgres' = 'sqlite',
  settings: Readonly<Record<string, string>> = {},
) {
  const { network, alice, bob } = await openPair(context, settings, engine);
  const roomId = await createRoom(alice);
  await join(bob, roomId, 'hs1');
  return { network, alice, bob, roomId };
}

export async function sync(client: TestClient, since?: string): Promise<SyncBody> {
  const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
  const { status, body } = await client.get(`/_matrix/client/v3/sync${query}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as SyncBody;
}

/** What an ephemeral event of a room says, if it came. */
export function ephemeral({ rooms }: SyncBody, roomId: string, type: string): Record<string, unknown> | undefined {
  return rooms?.join?.[roomId]?.ephemeral.events.find((event) => event.type === type)?.content;
}

export const typists = (answer: SyncBody, roomId: string): unknown =>
  ephemeral(answer, roomId, 'm.typing')?.['user_ids'];
