import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ClientEvent,
  createClient,
  type ICreateClientOpts,
  type IStartClientOpts,
  type MatrixClient,
  type MatrixEvent,
  type Room,
  silent,
} from './sdk.ts';

/** In milliseconds. What a test waits for comes at once, or is lost: on a slow machine, and between servers that try again, at once is long. */
const patience = 60_000;

/** Somebody who uses matrix-js-sdk, with its own sync loop. */
export type Person = {
  readonly client: MatrixClient;
  readonly userId: string;
  readonly password: string;
  /** The IDs of all events that `/sync` brought, as often as it did: the client itself drops what comes twice. */
  readonly received: readonly string[];
  /** The `since` of each `/sync` that was asked. */
  readonly asked: readonly (string | null)[];
  /** The first value that is not `undefined` or `false`, looked for now and again. */
  until<T>(what: string, look: () => T | undefined | false): Promise<T>;
  /** Waits until something that has to be asked for is so. */
  eventually(what: string, ask: () => Promise<boolean>): Promise<void>;
  /** The room, once the client has it with that membership of its own. */
  inRoom(roomId: string, membership?: string): Promise<Room>;
  /** Waits until the client has a message with that text, and gives the event. */
  reads(roomId: string, text: string): Promise<MatrixEvent>;
  /** The texts of the messages in the live timeline. */
  texts(roomId: string): readonly string[];
};

export type Session = {
  readonly baseUrl: string;
  readonly userId: string;
  readonly password: string;
  readonly accessToken: string;
  readonly deviceId: string;
};

/** What a client is made with, and what is done to it before it begins to sync. */
export type Preparation = {
  readonly client?: Omit<ICreateClientOpts, 'baseUrl'>;
  readonly beforeStart?: (client: MatrixClient) => Promise<void>;
  /** How it syncs, where that takes the client itself. */
  readonly startWith?: (client: MatrixClient) => IStartClientOpts;
};

export type People = {
  /** Makes an account. */
  register(name: string): Promise<{ readonly userId: string; readonly password: string }>;
  /** A session that no client uses yet. */
  openSession(userId: string, password: string): Promise<Session>;
  /** A client that uses a session and is syncing. */
  start(session: Session, options?: IStartClientOpts, preparation?: Preparation): Promise<Person>;
  /** Registers and logs in somebody new, whose client is syncing. */
  arrive(name: string, options?: IStartClientOpts): Promise<Person>;
  /** Another device of somebody. */
  logIn(userId: string, password: string, options?: IStartClientOpts): Promise<Person>;
  /** Stops all clients, so that the process can end. */
  stopAll(): void;
};

export function bareClient(baseUrl: string): MatrixClient {
  return createClient({ baseUrl, logger: silent });
}

export function createPeople(baseUrl: () => string): People {
  const running = new Set<MatrixClient>();

  async function openSession(user: string, password: string): Promise<Session> {
    const { user_id: userId, ...session } = await bareClient(baseUrl()).loginRequest({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user },
      password,
    });
    const { access_token: accessToken, device_id: deviceId } = session;
    return { baseUrl: baseUrl(), userId, password, accessToken, deviceId };
  }

  async function start(
    { userId, password, ...session }: Session,
    options: IStartClientOpts = {},
    preparation: Preparation = {},
  ): Promise<Person> {
    const asked: (string | null)[] = [];
    const client = createClient({
      fetchFn(input, init) {
        const url = new URL(input instanceof Request ? input.url : input);
        if (url.pathname.endsWith('/sync')) asked.push(url.searchParams.get('since'));
        // Wherever the server is by now.
        return fetch(new URL(url.pathname + url.search, baseUrl()), init);
      },
      ...session,
      userId,
      logger: silent,
      timelineSupport: true,
      ...preparation.client,
    });
    const person = createPerson(client, { userId, password, asked });
    running.add(client);
    await preparation.beforeStart?.(client);
    await client.startClient({ initialSyncLimit: 30, ...options, ...preparation.startWith?.(client) });
    await person.until('the first sync', () => client.isInitialSyncComplete());
    return person;
  }

  async function register(name: string): Promise<{ userId: string; password: string }> {
    const username = `${name}-${randomBytes(4).toString('hex')}`;
    const password = randomBytes(12).toString('hex');
    const { user_id: userId } = await bareClient(baseUrl()).registerRequest({
      username,
      password,
      inhibit_login: true,
      auth: { type: 'm.login.dummy' },
    });
    return { userId, password };
  }

  return {
    register,
    openSession,
    start,
    logIn: async (user, password, options) => start(await openSession(user, password), options),
    async arrive(name, options) {
      const { userId, password } = await register(name);
      return start(await openSession(userId, password), options);
    },
    stopAll() {
      for (const client of running) client.stopClient();
      running.clear();
    },
  };
}

type Known = Pick<Person, 'userId' | 'password' | 'asked'>;

function createPerson(client: MatrixClient, known: Known): Person {
  const { userId } = known;
  const received: string[] = [];
  client.on(ClientEvent.Event, (event) => {
    const id = event.getId();
    if (id !== undefined) received.push(id);
  });

  const until: Person['until'] = async (what, look) => {
    const found = look();
    if (found !== undefined && found !== false) return found;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        clearInterval(again);
        client.off(ClientEvent.Sync, check);
        act();
      };
      const timer = setTimeout(() => {
        settle(() => reject(new Error(`${userId} waited in vain for ${what} (sync is ${client.getSyncState()})`)));
      }, patience);
      const check = () => {
        try {
          const found = look();
          if (found !== undefined && found !== false) settle(() => resolve(found));
        } catch (error) {
          settle(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      client.on(ClientEvent.Sync, check);
      // Of what it learns it looks up some things on its own, and says so in many ways.
      const again = setInterval(check, 20);
    });
  };
  const timeline = (roomId: string) => client.getRoom(roomId)?.getLiveTimeline().getEvents() ?? [];
  const messages = (roomId: string) => timeline(roomId).filter((e) => e.getType() === 'm.room.message');

  return {
    client,
    ...known,
    received,
    until,
    async eventually(what, ask) {
      const givenUp = AbortSignal.timeout(patience);
      while (!(await ask())) {
        if (givenUp.aborted) throw new Error(`${userId} waited in vain for ${what}`);
        await delay(20);
      }
    },
    inRoom: (roomId, membership = 'join') =>
      until(`${membership} in ${roomId}`, () => {
        const room = client.getRoom(roomId);
        return room?.getMyMembership() === membership && room;
      }),
    reads: (roomId, text) =>
      until(`the message “${text}”`, () =>
        messages(roomId).find((event) => event.status === null && event.getContent()['body'] === text),
      ).catch((error: unknown) => {
        const found = timeline(roomId).map((event) => {
          const content = event.isDecryptionFailure()
            ? event.decryptionFailureReason
            : JSON.stringify(event.getContent());
          return `${event.getId()} ${event.status} ${event.getWireType()} ${content}`;
        });
        throw new Error(`${String(error)}: there is ${found.join('\n')}`);
      }),
    texts: (roomId) => messages(roomId).map((event) => String(event.getContent()['body'])),
  };
}
