import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { TestClient, TestResponse } from './test-client.ts';
import { until } from './until.ts';

/** Sends a request that must be granted. */
export async function must(answer: Promise<Pick<TestResponse, 'status' | 'body'>>): Promise<TestResponse['body']> {
  const { status, body } = await answer;
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** The status and error code of an answer. */
export async function refusal(answer: Promise<Pick<TestResponse, 'status' | 'body'>>): Promise<string> {
  const { status, body } = await answer;
  const { errcode } = body;
  return typeof errcode === 'string' ? `${status} ${errcode}` : `${status}`;
}

/** An endpoint of a room. */
export const pathOf = (roomId: string, rest: string): string =>
  `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;

/** Makes a room that everybody may join, unless `settings` say otherwise. */
export async function createRoom(client: TestClient, settings: object = {}): Promise<string> {
  const body = await must(client.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', ...settings }));
  return String(body['room_id']);
}

/** By way of another server, if one is named. */
export async function join(client: TestClient, roomId: string, via?: string): Promise<void> {
  const query = via === undefined ? '' : `?via=${via}`;
  await must(client.post(`/_matrix/client/v3/join/${encodeURIComponent(roomId)}${query}`, {}));
}

/** Sends a text and answers its event ID. */
export async function say(client: TestClient, roomId: string, text: string, more: object = {}): Promise<string> {
  const path = pathOf(roomId, `send/m.room.message/${randomBytes(6).toString('hex')}`);
  return String((await must(client.put(path, { msgtype: 'm.text', body: text, ...more })))['event_id']);
}

/** The content of an event, if somebody may see it. */
export async function contentOf(client: TestClient, roomId: string, eventId: string): Promise<unknown> {
  const { status, body } = await client.get(pathOf(roomId, `event/${encodeURIComponent(eventId)}`));
  return status === 200 ? body['content'] : undefined;
}

/** Waits until somebody sees an event, and answers its content. */
export const sees = (client: TestClient, roomId: string, eventId: string): Promise<unknown> =>
  until(() => contentOf(client, roomId, eventId), `${client.userId} sees ${eventId}`);
