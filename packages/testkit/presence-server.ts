import assert from 'node:assert/strict';
import { defaultFilter } from '@portico/protocol/sync-filter/filter.ts';
import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { createPresenceParts } from '@portico/server/compose/presence.ts';
import { loadConfig } from '@portico/server/config/load.ts';
import { createAppServices } from '@portico/server/services/appservices/app-services.ts';
import type { FederationClient } from '@portico/server/services/federation/client/federation-client.ts';
import { createOutbox } from '@portico/server/services/federation/sender/outbox.ts';
import { mergePushes } from '@portico/server/services/presence/federation/pushes.ts';
import { createFirstContacts } from '@portico/server/services/rate-limit/first-contacts.ts';
import { defaultRates } from '@portico/server/services/rate-limit/rate-classes.ts';
import { createRateLimiter } from '@portico/server/services/rate-limit/rate-limiter.ts';
import { createIgnoredUsers } from '@portico/server/services/reading/ignored-users.ts';
import { createOnlineIndex } from '@portico/server/services/sync/online-index.ts';
import type { StreamRequest } from '@portico/server/services/sync/streams.ts';
import { type Committed, createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { findAccountData, setAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import { setMembership } from '@portico/storage/stores/rooms/memberships-write.ts';
import { addRoom } from '@portico/storage/stores/rooms/rooms.ts';
import pino from 'pino';
import type { VirtualClock } from './virtual-clock.ts';

/** What somebody is shown of somebody else. */
export type Shown = { readonly presence: string; readonly status_msg?: string; readonly [field: string]: unknown };
export type Membership = { readonly roomId: string; readonly userId: string; readonly membership: string };

type Options = {
  readonly serverName: string;
  readonly db: Database;
  readonly clock: VirtualClock;
  /** Called with everything that is put for another server, at the moment when it is. */
  readonly onPut: (host: string, push: JsonObject) => void;
  /** Expression of the users of its application service. */
  readonly ghosts: string;
  /** What its application service was shown last; it outlives the server's process. */
  readonly bridgeShown: Map<string, Shown>;
  /** What may wait for another server at once. */
  readonly maxPerHost?: number;
  /** With how many servers that this one never met somebody may have to do in an hour; any number if left out. */
  readonly firstContacts?: number | undefined;
};

export type PresenceServer = Awaited<ReturnType<typeof openPresenceServer>>;

/**
 * All of one server that has to do with presence, as it is put together there, on a database of its own. The rest is done
 * here: memberships and settings are written as the services write them, EDUs are carried by hand, and the time is the test's.
 */
export async function openPresenceServer(options: Options) {
  const { serverName, db, clock, onPut, ghosts, bridgeShown, maxPerHost, firstContacts = 0 } = options;
  const errors: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => errors.push(line) });
  const environment = { PORTICO_SERVER_NAME: serverName, PORTICO_PRESENCE_ENABLED: 'true' };
  const config = await loadConfig({ environment });
  const registration = {
    id: 'bridge',
    url: 'http://127.0.0.1:1',
    asToken: 'as',
    hsToken: 'hs',
    senderLocalpart: 'bot',
    rateLimited: false,
    receiveEphemeral: true,
    deviceLists: false,
    protocols: [],
    namespaces: {
      users: [{ exclusive: true, regex: ghosts, matches: (name: string) => new RegExp(`^(?:${ghosts})`).test(name) }],
      aliases: [],
      rooms: [],
    },
  };
  const outbox = createOutbox({
    merges: new Map([['m.presence', mergePushes]]),
    ...(maxPerHost !== undefined && { maxPerHost }),
  });
  const appServices = createAppServices([registration] as never, serverName);
  const [service] = appServices.all;
  assert.ok(service);
  let stopped = false;
  let killed = false;
  const underWay = new Set<Promise<unknown>>();
  function commit(set: WriteSet): Promise<Committed> {
    // Of a process that was killed nothing is written any more.
    if (killed) return Promise.resolve({ positions: [], returned: [] });
    const committing = db.commit(set);
    const settled = committing.catch(() => undefined).finally(() => underWay.delete(settled));
    underWay.add(settled);
    return committing;
  }
  const guarded = Object.create(db, { commit: { value: commit } }) as Database;
  const online = createOnlineIndex({
    db,
    now: clock.now,
    userKinds: new Set(),
    roomKinds: new Set(),
    maxUsers: 1000,
  });
  const parts = await createPresenceParts({
    config,
    db: guarded,
    ignored: createIgnoredUsers(db),
    serverName,
    now: clock.now,
    after: clock.after,
    randomId: () => `e${clock.unique()}`,
    log,
    online: () => online,
    outbox: {
      ...outbox,
      put(hosts, entry) {
        if (killed) return;
        const all = [...hosts];
        for (const host of all) for (const push of entry.content['push'] as JsonObject[]) onPut(host, push);
        outbox.put(all, entry);
      },
    },
    firstContacts: createFirstContacts({
      db,
      rateLimiter: createRateLimiter({
        enabled: firstContacts > 0,
        rates: { ...defaultRates, 'first-contact': { perSecond: firstContacts / 3600, burst: firstContacts } },
        now: clock.now,
      }),
    }),
    client: { call: () => Promise.reject(new Error('there is no network')) } as unknown as FederationClient,
    appServices,
  });
  const [stream] = parts.streams;
  assert.ok(stream?.serial);
  const { serial } = stream;
  const changedForBridge = new Set<string>();
  parts.forServices.onChange((userIds) => {
    for (const userId of userIds) changedForBridge.add(userId);
  });

  function request(userId: string, since: string | undefined, newRooms: ReadonlySet<number>): StreamRequest {
    return {
      reader: db,
      userId,
      deviceId: 'D',
      since: since === undefined ? undefined : 1,
      upTo: db.currentPosition(),
      serial: since,
      filter: defaultFilter,
      rooms: new Map(),
      newRooms,
      allRooms: () => new Map(),
      mayConcernUser: true,
    };
  }

  const take = async (origin: string, content: JsonObject): Promise<void> =>
    parts.eduHandlers.get('m.presence')?.receive({ origin, content });

  async function stop(): Promise<void> {
    if (stopped) return;
    stopped = true;
    await parts.close();
    online.close();
  }

  return {
    serverName,
    errors,
    presence: parts.presence,
    service,
    settled: parts.settled,
    bridgeShown,
    /** One answer of `/sync`. */
    async read(
      userId: string,
      since: string | undefined,
      newRooms: ReadonlySet<number> = new Set(),
    ): Promise<{ events: ReadonlyMap<string, Shown>; next: string }> {
      const next = serial.current(userId);
      const { fields, serial: told } = await stream.read(request(userId, since, new Set(newRooms)));
      const text = fields?.get('presence');
      const { events = [] } = (text === undefined ? {} : parseJson(text)) as {
        events?: { sender: string; content: Shown }[];
      };
      return {
        events: new Map(events.map(({ sender, content }) => [sender, content])),
        next: told ?? next ?? '',
      };
    },
    isPending: (userId: string, since: string) => serial.isPending(userId, since),
    /** Tells the application service what has changed, as a transaction does. */
    async tellBridge(): Promise<void> {
      const userIds = [...changedForBridge];
      changedForBridge.clear();
      for (const text of await parts.forServices.presenceFor(service, userIds)) {
        const event = JSON.parse(text) as { sender: string; content: Shown };
        bridgeShown.set(event.sender, event.content);
      }
    },
    /** Takes what waits for another server, as it goes into a transaction. */
    take(host: string): readonly JsonObject[] {
      const { edus, entries } = outbox.pack(host, 100);
      outbox.sent(host, entries);
      return edus.map(({ content }) => content);
    },
    async receive(origin: string, content: JsonObject): Promise<void> {
      const copy = parseJson(JSON.stringify(content));
      assert.ok(isJsonObject(copy));
      await take(origin, copy);
    },
    /** Another process sends to a server: what waits for it here goes nowhere. */
    drop: (host: string) => outbox.drop(host),
    /** The other process is gone. */
    tookOver: outbox.tookOver,
    /** The same of what was parsed before. */
    receiveParsed: take,
    /** Ends it in good order. */
    stop,
    /** Ends it as if it were killed: what it has not stored is lost. */
    async kill(): Promise<void> {
      killed = true;
      await Promise.all(underWay);
      await stop();
    },
  };
}

const commit = async (db: Database, fill: (set: WriteSet) => void): Promise<void> => {
  const set = createWriteSet();
  fill(set);
  await db.commit(set);
};

export const writeAccount = (db: Database, userId: string): Promise<void> =>
  commit(db, (set) =>
    addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 }),
  );

export const writeRoom = (db: Database, roomNid: number, roomId: string): Promise<void> =>
  commit(db, (set) => {
    const head = { extremities: [], stateRoot: 0, maxDepth: 1, lastEventNid: 1, ordinal: 0 };
    const counts = { joinedCount: 0, invitedCount: 0, isActivity: false };
    const room = { ...head, ...counts, roomNid, roomId, roomVersion: '11', createEventNid: 1, version: 1 };
    addRoom(set, room, set.takePosition());
  });

export const writeSettings = (db: Database, userId: string, type: string, content: unknown): Promise<void> =>
  commit(db, (set) => setAccountData(set, { userId, roomId: '', type, content: JSON.stringify(content) }));

export async function readSettings(db: Database, userId: string, type: string): Promise<unknown> {
  const row = await findAccountData(db, userId, '', type);
  return row && JSON.parse(row.content);
}

const perCommit = 500;

/** Many people who join, in few commits. */
export async function writeJoins(
  db: Database,
  serverName: string,
  roomNid: number,
  userIds: readonly string[],
): Promise<void> {
  for (let start = 0; start < userIds.length; start += perCommit) {
    await commit(db, (set) => {
      for (const userId of userIds.slice(start, start + perCommit)) {
        const host = userId.slice(userId.indexOf(':') + 1);
        const change = { roomNid, userId, membership: 'join', previous: 'leave', eventNid: 1, host };
        setMembership(set, { ...change, isLocal: host === serverName }, set.takePosition());
      }
    });
  }
}

export const writeMembership = (
  db: Database,
  serverName: string,
  roomNid: number,
  { userId, membership, previous }: Omit<Membership, 'roomId'> & { readonly previous: string },
): Promise<void> =>
  commit(db, (set) => {
    const host = userId.slice(userId.indexOf(':') + 1);
    const change = { roomNid, userId, membership, previous, eventNid: 1, host, isLocal: host === serverName };
    setMembership(set, change, set.takePosition());
  });
