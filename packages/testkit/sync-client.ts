import type { TestClient, TestResponse } from './test-client.ts';

/** An event as a test looks at it. */
export type SeenEvent = {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly state_key?: string;
  readonly content: { readonly [key: string]: unknown };
  readonly unsigned: { readonly [key: string]: unknown };
  readonly msc4354_sticky?: { readonly duration_ms: number };
};

type Events = { readonly events: readonly SeenEvent[] };

export type SyncedRoom = {
  readonly timeline: Events & { readonly limited: boolean; readonly prev_batch: string };
  readonly state?: Events;
  readonly state_after?: Events;
  readonly 'org.matrix.msc4222.state_after'?: Events;
  readonly account_data: Events;
  readonly ephemeral: Events;
  readonly msc4354_sticky?: Events;
  readonly summary?: { readonly [key: string]: unknown };
  readonly unread_notifications: { readonly notification_count: number; readonly highlight_count: number };
  readonly unread_thread_notifications?: { readonly [root: string]: unknown };
};

export type SyncBody = {
  readonly next_batch: string;
  readonly account_data?: Events;
  readonly rooms?: {
    readonly join?: { readonly [roomId: string]: SyncedRoom };
    readonly leave?: { readonly [roomId: string]: SyncedRoom };
    readonly invite?: { readonly [roomId: string]: { readonly invite_state: Events } };
    readonly knock?: { readonly [roomId: string]: { readonly knock_state: Events } };
  };
  readonly [field: string]: unknown;
};

export type SyncQuery = {
  readonly since?: string;
  readonly filter?: object | string;
  readonly timeout?: number;
  readonly full_state?: boolean;
  readonly use_state_after?: boolean;
  readonly 'org.matrix.msc4222.use_state_after'?: boolean;
};

/** A room as sliding sync shows it. */
export type SlidRoom = {
  readonly initial?: boolean;
  readonly name?: string | null;
  readonly avatar?: string | null;
  readonly heroes?: readonly {
    readonly user_id: string;
    readonly displayname?: string;
    readonly avatar_url?: string;
  }[];
  readonly is_dm?: boolean;
  readonly bump_stamp?: number;
  readonly joined_count?: number;
  readonly invited_count?: number;
  readonly notification_count?: number;
  readonly highlight_count?: number;
  readonly invite_state?: readonly SeenEvent[];
  readonly required_state?: readonly SeenEvent[];
  readonly unstable_expanded_timeline?: boolean;
  readonly timeline?: readonly SeenEvent[];
  readonly limited?: boolean;
  readonly prev_batch?: string;
  readonly num_live?: number;
};

type OfRooms<T> = { readonly rooms: { readonly [roomId: string]: T } };

export type SlidingBody = {
  readonly pos: string;
  readonly lists: { readonly [name: string]: { readonly count: number } };
  readonly rooms: { readonly [roomId: string]: SlidRoom };
  readonly extensions: {
    readonly to_device?: { readonly next_batch: string; readonly events: readonly SeenEvent[] };
    readonly e2ee?: { readonly device_lists?: { readonly changed: string[]; readonly left: string[] } } & {
      readonly [field: string]: unknown;
    };
    readonly account_data?: OfRooms<readonly SeenEvent[]> & { readonly global: readonly SeenEvent[] };
    readonly receipts?: OfRooms<SeenEvent>;
    readonly typing?: OfRooms<SeenEvent>;
    readonly 'org.matrix.msc4354.sticky_events'?: OfRooms<Events> & { readonly next_batch: string };
  };
};

const client = '/_matrix/client/v3';
const unstable = '/_matrix/client/unstable';

/** Of the sticky events that people send in tests. */
export const stickyType = 'org.example.here';

/** A person in a test, by what they do. Whatever is not answered with 200 fails. */
export function createSyncClient(http: TestClient) {
  let transactions = 0;

  async function ok(response: Promise<TestResponse>): Promise<TestResponse['body']> {
    const { status, body } = await response;
    if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
    return body;
  }
  const room = (roomId: string, rest: string) => `${client}/rooms/${encodeURIComponent(roomId)}/${rest}`;

  return {
    http,
    userId: http.userId,
    room,
    async sync({ filter, ...query }: SyncQuery = {}): Promise<SyncBody> {
      const parameters = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
      if (filter !== undefined) parameters.set('filter', typeof filter === 'string' ? filter : JSON.stringify(filter));
      return (await ok(http.get(`${client}/sync?${parameters.toString()}`))) as SyncBody;
    },
    async slide(body: object, query: { readonly pos?: string; readonly timeout?: number } = {}): Promise<SlidingBody> {
      const parameters = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) parameters.set(name, String(value));
      const path = `${unstable}/org.matrix.simplified_msc3575/sync?${parameters.toString()}`;
      return (await ok(http.post(path, body))) as unknown as SlidingBody;
    },
    async createRoom(body: object = { preset: 'public_chat' }): Promise<string> {
      return String((await ok(http.post(`${client}/createRoom`, body)))['room_id']);
    },
    invite: (roomId: string, userId: string) => ok(http.post(room(roomId, 'invite'), { user_id: userId })),
    join: (roomId: string) => ok(http.post(room(roomId, 'join'), {})),
    leave: (roomId: string) => ok(http.post(room(roomId, 'leave'), {})),
    kick: (roomId: string, userId: string) => ok(http.post(room(roomId, 'kick'), { user_id: userId })),
    ban: (roomId: string, userId: string) => ok(http.post(room(roomId, 'ban'), { user_id: userId })),
    async send(roomId: string, body: string, type = 'm.room.message'): Promise<string> {
      const path = room(roomId, `send/${type}/t${++transactions}`);
      return String((await ok(http.put(path, { msgtype: 'm.text', body })))['event_id']);
    },
    /** Sends an event that is sticky for some milliseconds. */
    async stick(roomId: string, body: string, duration = 300_000): Promise<string> {
      const query = `org.matrix.msc4354.sticky_duration_ms=${duration}`;
      const path = room(roomId, `send/${stickyType}/s${++transactions}?${query}`);
      return String((await ok(http.put(path, { body })))['event_id']);
    },
    async setState(roomId: string, type: string, content: object, stateKey = ''): Promise<string> {
      const path = room(roomId, `state/${type}/${encodeURIComponent(stateKey)}`);
      return String((await ok(http.put(path, content)))['event_id']);
    },
    async redact(roomId: string, eventId: string): Promise<string> {
      const path = room(roomId, `redact/${encodeURIComponent(eventId)}/r${++transactions}`);
      return String((await ok(http.put(path, {})))['event_id']);
    },
    setAccountData: (type: string, content: object, roomId?: string) =>
      ok(
        http.put(
          `${client}/user/${encodeURIComponent(http.userId)}/` +
            `${roomId === undefined ? '' : `rooms/${encodeURIComponent(roomId)}/`}account_data/${type}`,
          content,
        ),
      ),
    get: (roomId: string, rest: string) => ok(http.get(room(roomId, rest))),
  };
}

export type SyncClient = ReturnType<typeof createSyncClient>;

/** What message events say, in their order. */
export function bodies({ events }: Events): string[] {
  return events.filter((event) => event.type === 'm.room.message').map((event) => String(event.content['body']));
}

/** Types and state keys, sorted. */
export function stateKeys(events: Events | undefined): string[] {
  return (events?.events ?? []).map((event) => `${event.type} ${event.state_key ?? '-'}`).toSorted();
}
