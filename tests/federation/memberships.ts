import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from './people.ts';

export async function say(client: TestClient, roomId: string, text: string): Promise<string> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${randomBytes(6).toString('hex')}`;
  const { status, body } = await client.put(path, { msgtype: 'm.text', body: text });
  assert.equal(status, 200, JSON.stringify(body));
  return String(body['event_id']);
}

export async function contentOf(client: TestClient, roomId: string, eventId: string): Promise<unknown> {
  const { status, body } = await client.get(
    `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/event/${encodeURIComponent(eventId)}`,
  );
  return status === 200 ? body['content'] : undefined;
}

export const sees = (client: TestClient, roomId: string, eventId: string) =>
  until(() => contentOf(client, roomId, eventId), `${client.userId} sees ${eventId}`);

export async function stateOf(client: TestClient, roomId: string): Promise<string[]> {
  const { body } = await client.get(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`);
  return (body as unknown as { event_id: string }[]).map((event) => event.event_id).toSorted();
}

export const pathOf = (roomId: string, rest: string) =>
  `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;

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
    async () => ((await membershipOf(asked, roomId, userId)) === membership ? true : undefined),
    `${userId} is ${membership} for ${asked.userId}`,
  );

/** Sends a request that must be granted. */
export async function must(answer: Promise<{ status: number; body: { readonly [key: string]: unknown } }>) {
  const { status, body } = await answer;
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** The status and error code of an answer. */
export async function refusal(answer: Promise<{ status: number; body: { readonly [key: string]: unknown } }>) {
  const { status, body } = await answer;
  const { errcode } = body;
  return typeof errcode === 'string' ? `${status} ${errcode}` : `${status}`;
}

export const setState = (client: TestClient, roomId: string, type: string, content: object) =>
  must(client.put(pathOf(roomId, `state/${type}/`), content));
