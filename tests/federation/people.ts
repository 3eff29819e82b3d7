import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startTestNetwork } from '@portico/testkit/network.ts';
import type { SyncBody } from '@portico/testkit/sync-client.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

/** Asks again until it is so. */
export async function until<T>(ask: () => Promise<T | undefined>, what: string, patience = 20_000): Promise<T> {
  for (const end = Date.now() + patience; Date.now() < end;) {
    const found = await ask();
    if (found !== undefined) return found;
    await pause(20);
  }
  throw new Error(`It did not come to pass: ${what}`);
}

export async function createRoom(client: TestClient, settings: object = {}): Promise<string> {
  const { status, body } = await client.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', ...settings });
  assert.equal(status, 200, JSON.stringify(body));
  return String(body['room_id']);
}

export async function join(client: TestClient, roomId: string, via: string): Promise<void> {
  const { status, body } = await client.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}?via=${via}`, {});
  assert.equal(status, 200, JSON.stringify(body));
}

/** Two people of different servers in one room. */
export async function meet(
  context: TestContext,
  engine: 'sqlite' | 'postgres' = 'sqlite',
  settings: Readonly<Record<string, string>> = {},
) {
  const network = await startTestNetwork(['hs1', 'hs2'], { engine, settings });
  context.after(() => network.close());
  const [alice, bob] = await Promise.all([
    network.server('hs1').registerUser('alice'),
    network.server('hs2').registerUser('bob'),
  ]);
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

let transactions = 0;
export async function say(client: TestClient, roomId: string, text: string, more: object = {}): Promise<string> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/t${transactions++}`;
  const { status, body } = await client.put(path, { msgtype: 'm.text', body: text, ...more });
  assert.equal(status, 200, JSON.stringify(body));
  return String(body['event_id']);
}

export function sees(client: TestClient, roomId: string, eventId: string): Promise<unknown> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/event/${encodeURIComponent(eventId)}`;
  return until(async () => {
    const { status, body } = await client.get(path);
    return status === 200 ? body['content'] : undefined;
  }, `${client.userId} sees ${eventId}`);
}
