import assert from 'node:assert/strict';
import type { SeenEvent, SyncBody } from '@portico/testkit/sync-client.ts';
import { createTestClient, type TestClient, type TestResponse } from '@portico/testkit/test-client.ts';
import type { Random } from './random.ts';

const client = '/_matrix/client/v3';
const room = (roomId: string, rest: string) => `${client}/rooms/${encodeURIComponent(roomId)}/${rest}`;

/** The server went away, or says that it cannot now: nobody knows whether it was done. */
export class Unanswered extends Error {}

/** A message with its transaction, and the event that the server said it became. */
export type Sent = { readonly roomId: string; readonly txnId: string; eventId: string | undefined };
type Receipt = { readonly eventId: string; readonly acknowledged: boolean };

/** The rooms that everybody stays in, and the one where people come and go. */
export type Rooms = { readonly quiet: readonly string[]; readonly busy: string };

export type Person = {
  readonly http: TestClient;
  readonly sent: readonly Sent[];
  /** Events of state that the server said it had made. */
  readonly made: readonly string[];
  /** What was seen in the rooms that everybody stays in, in order. */
  readonly seen: ReadonlyMap<string, readonly SeenEvent[]>;
  /** Account data that the server may have, the last one acknowledged first. */
  readonly stored: readonly number[];
  readonly receipts: ReadonlyMap<string, readonly Receipt[]>;
  /** Does one thing; throws `Unanswered` where the server does not answer. */
  act(random: Random, others: readonly string[]): Promise<void>;
  /** Asks again for everything that was not answered. */
  resume(): Promise<void>;
  sync(): Promise<void>;
};

const expected = new Set([200, 400, 403, 404]);

export function createPerson(
  user: { readonly userId: string; readonly accessToken: string; readonly deviceId: string },
  baseUrl: string,
  rooms: Rooms,
): Person {
  const http = createTestClient(baseUrl, user);
  const sent: Sent[] = [];
  const made: string[] = [];
  const seen = new Map<string, SeenEvent[]>();
  const receipts = new Map<string, Receipt[]>();
  let stored: number[] = [];
  let since: string | undefined;
  let counter = 0;

  async function ask(request: Promise<TestResponse>): Promise<TestResponse> {
    const response = await request.catch((error: unknown) => {
      throw new Unanswered('no answer', { cause: error });
    });
    if (response.status === 503) {
      assert.ok(Number(response.headers.get('retry-after')) > 0, 'a client is told when to come back');
      throw new Unanswered('unavailable');
    }
    assert.ok(expected.has(response.status), `${response.status} ${JSON.stringify(response.body)}`);
    return response;
  }

  async function send(message: Sent): Promise<void> {
    const path = room(message.roomId, `send/m.room.message/${message.txnId}`);
    const { status, body } = await ask(http.put(path, { msgtype: 'm.text', body: message.txnId }));
    if (status !== 200) return;
    const eventId = String(body['event_id']);
    assert.ok(message.eventId === undefined || message.eventId === eventId, `${message.txnId} became two events`);
    message.eventId = eventId;
  }

  async function setState(roomId: string, type: string, content: object): Promise<void> {
    const { status, body } = await ask(http.put(room(roomId, `state/${type}/`), content));
    if (status === 200) made.push(String(body['event_id']));
  }

  async function setAccountData(): Promise<void> {
    const value = ++counter;
    stored = [...stored, value];
    const path = `${client}/user/${encodeURIComponent(user.userId)}/account_data/test.crash`;
    const { status } = await ask(http.put(path, { value }));
    assert.equal(status, 200);
    stored = [value];
  }

  async function acknowledge(roomId: string): Promise<void> {
    const last = seen.get(roomId)?.at(-1);
    if (last === undefined) return;
    const marked = receipts.get(roomId) ?? [];
    receipts.set(roomId, marked);
    marked.push({ eventId: last.event_id, acknowledged: false });
    const { status } = await ask(http.post(room(roomId, `receipt/m.read/${encodeURIComponent(last.event_id)}`), {}));
    assert.equal(status, 200);
    marked.splice(0, marked.length, { eventId: last.event_id, acknowledged: true });
  }

  async function changeMembership(random: Random, others: readonly string[]): Promise<void> {
    const user_id = random.pick(others);
    switch (random.below(4)) {
      case 0:
        return void (await ask(http.post(room(rooms.busy, 'join'), {})));
      case 1:
        return void (await ask(http.post(room(rooms.busy, 'leave'), {})));
      case 2:
        return void (await ask(http.post(room(rooms.busy, 'invite'), { user_id })));
      default:
        return void (await ask(http.post(room(rooms.busy, 'kick'), { user_id })));
    }
  }

  function remember(body: SyncBody): void {
    for (const roomId of rooms.quiet) {
      const joined = body.rooms?.join?.[roomId];
      if (joined === undefined) continue;
      const before = seen.get(roomId);
      assert.ok(before === undefined || !joined.timeline.limited, 'a sync in small steps leaves nothing out');
      seen.set(roomId, [...(before ?? []), ...joined.timeline.events]);
    }
  }

  return {
    http,
    sent,
    made,
    seen,
    get stored() {
      return stored;
    },
    receipts,
    async act(random, others) {
      const roomId = random.pick([...rooms.quiet, rooms.busy]);
      switch (random.below(10)) {
        case 0:
          return setState(roomId, random.pick(['m.room.topic', 'm.room.name', 'test.state']), {
            topic: `${++counter}`,
            name: `${counter}`,
          });
        case 1:
          return changeMembership(random, others);
        case 2:
          return setAccountData();
        case 3:
          return acknowledge(random.pick(rooms.quiet));
        default: {
          const message: Sent = { roomId, txnId: `${user.deviceId}-${++counter}`, eventId: undefined };
          sent.push(message);
          return send(message);
        }
      }
    },
    async resume() {
      for (const message of sent) if (message.eventId === undefined) await send(message);
    },
    async sync() {
      const filter = { room: { timeline: { limit: 1000 } } };
      const query = new URLSearchParams({ timeout: '0', filter: JSON.stringify(filter) });
      if (since !== undefined) query.set('since', since);
      const { status, body } = await ask(http.get(`${client}/sync?${query.toString()}`));
      assert.equal(status, 200, JSON.stringify(body));
      remember(body as SyncBody);
      since = String(body['next_batch']);
    },
  };
}
