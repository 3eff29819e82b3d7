import { must, pathOf } from '@portico/testkit/people.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

export async function stateOf(client: TestClient, roomId: string): Promise<string[]> {
  const { body } = await client.get(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`);
  return (body as unknown as { event_id: string }[]).map((event) => event.event_id).toSorted();
}

type Listed = { readonly [roomId: string]: { readonly [field: string]: { readonly events: readonly StateEvent[] } } };
export type StateEvent = {
  readonly type: string;
  readonly sender: string;
  readonly state_key: string;
  readonly content: { readonly [key: string]: unknown };
};

/** What somebody is shown of a room that they are invited to or knock on; nothing if they are neither. */
export async function pending(client: TestClient, kind: 'invite' | 'knock', roomId: string) {
  const { body } = await client.get('/_matrix/client/v3/sync');
  const { rooms } = body as { readonly rooms?: { readonly [kind: string]: Listed } };
  return rooms?.[kind]?.[roomId]?.[`${kind}_state`]?.events;
}

export async function membershipOf(asked: TestClient, roomId: string, userId: string): Promise<unknown> {
  return (await asked.get(pathOf(roomId, `state/m.room.member/${encodeURIComponent(userId)}`))).body['membership'];
}

export const becomes = (asked: TestClient, roomId: string, userId: string, membership: string) =>
  until(
    async () => (await membershipOf(asked, roomId, userId)) === membership,
    `${userId} is ${membership} for ${asked.userId}`,
  );

export const setState = (client: TestClient, roomId: string, type: string, content: object) =>
  must(client.put(pathOf(roomId, `state/${type}/`), content));
