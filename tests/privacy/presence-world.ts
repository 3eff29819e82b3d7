import assert from 'node:assert/strict';
import type { JsonObject } from '@portico/protocol';
import type { Database } from '@portico/storage';
import {
  openPresenceServer,
  type PresenceServer,
  readSettings,
  type Shown,
  writeAccount,
  writeMembership,
  writeRoom,
  writeSettings,
} from '@portico/testkit/presence-server.ts';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';

export const serverNames = ['a.test', 'b.test', 'c.test'] as const;
export const bot = '@bot:a.test';
export const sharingTypes = ['m.presence_sharing_config', 'events.matrix-community.presence_sharing_config'] as const;

export const serverOf = (userId: string): string => userId.slice(userId.indexOf(':') + 1);

type Device = { readonly userId: string; token: string | undefined; readonly newRooms: Set<number> };
type Room = { readonly nid: number; readonly id: string; readonly members: Map<string, string> };
type Host = { server: PresenceServer; readonly db: Database; readonly knows: Map<string, Map<string, string>> };

/** Three servers and what of them outlives one world after another. */
export async function openServers(openDb: () => Promise<Database>) {
  const clock = createVirtualClock();
  const hosts = new Map<string, Host>();
  let onPut: (origin: string, host: string, push: JsonObject) => void = () => undefined;
  const bridgeShown = new Map<string, Shown>();
  const open = (serverName: string, db: Database) =>
    openPresenceServer({
      serverName,
      db,
      clock,
      ghosts: '@g.*:a\\.test',
      bridgeShown: serverName === 'a.test' ? bridgeShown : new Map<string, Shown>(),
      onPut: (host, push) => onPut(serverName, host, push),
    });
  for (const serverName of serverNames) {
    const db = await openDb();
    if (serverName === serverOf(bot)) await writeAccount(db, bot);
    hosts.set(serverName, { server: await open(serverName, db), db, knows: new Map() });
  }
  let worlds = 0;
  let isClosed = false;
  let rooms = 0;
  return {
    clock,
    hosts,
    nextWorld: () => ++worlds,
    nextRoom: () => ++rooms,
    watchPuts(listener: typeof onPut) {
      onPut = listener;
    },
    async restart(serverName: string, how: 'stop' | 'kill'): Promise<void> {
      const host = hosts.get(serverName);
      assert.ok(host);
      await host.server[how]();
      host.server = await open(serverName, host.db);
    },
    async close(): Promise<void> {
      if (isClosed) return;
      isClosed = true;
      for (const { server, db } of hosts.values()) {
        await server.stop();
        assert.deepEqual(server.errors, []);
        await db.close();
      }
    },
  };
}

export type Servers = Awaited<ReturnType<typeof openServers>>;

/** What people have set, as the rules of the proposal need it. */
export type Settings = {
  readonly allowed: readonly string[];
  readonly denied: readonly string[];
  readonly ignored: readonly string[];
  readonly malformed: boolean;
};

type Content = { readonly [name: string]: unknown };

/** The one that counts, of those under each name. What is empty is not set. */
function firstSet(contents: readonly unknown[]): Content {
  return (contents as (Content | undefined)[]).find((one) => Object.keys(one ?? {}).length > 0) ?? {};
}

/** People on three servers, their rooms and settings, and what everybody is shown; the truth about all of it is here. */
export async function createWorld(servers: Servers) {
  const { clock, hosts } = servers;
  const number = servers.nextWorld();
  const people = ['p', 'q', 'g'].map((letter) => `@${letter}${number}:a.test`);
  for (const letter of ['p', 'q']) people.push(`@${letter}${number}:b.test`, `@${letter}${number}:c.test`);
  const hostOf = (userId: string): Host => hosts.get(serverOf(userId)) as Host;
  for (const person of people) await writeAccount(hostOf(person).db, person);
  const rooms: Room[] = [];
  for (let index = 0; index < 4; index++) {
    const nid = servers.nextRoom();
    const id = `!r${nid}:a.test`;
    rooms.push({ nid, id, members: new Map() });
    for (const { db } of hosts.values()) await writeRoom(db, nid, id);
  }
  const settings = new Map<string, Map<string, unknown>>(people.map((person) => [person, new Map()]));
  const devices: Device[] = people.flatMap((userId) =>
    [0, 1].map(() => ({ userId, token: undefined, newRooms: new Set<number>() })),
  );
  const views = new Map<Device, Map<string, Shown>>(devices.map((device) => [device, new Map()]));
  /** Of whom servers know nothing, since they have started anew and have not been told again. */
  const forgotten = new Set<string>();

  const isJoined = (room: Room, userId: string): boolean => room.members.get(userId) === 'join';
  const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.filter((e) => typeof e === 'string') : []);

  function settingsOf(userId: string): Settings {
    const mine = settings.get(userId) ?? new Map<string, unknown>();
    const content = firstSet(sharingTypes.map((type) => mine.get(type)));
    const { allowed_users: allowed, denied_users: denied } = content;
    return {
      allowed: listOf(allowed),
      denied: listOf(denied),
      ignored: listOf(mine.get('m.ignored_user_list')),
      malformed: [allowed, denied].some((list) => list !== undefined && !Array.isArray(list)),
    };
  }

  async function set(userId: string, type: string, value: unknown): Promise<void> {
    // Rooms that were left before are taken out before, not of what is set now.
    await settled();
    settings.get(userId)?.set(type, value);
    const ignored = () => Object.fromEntries(listOf(value).map((other) => [other, {}]));
    const content = type === 'm.ignored_user_list' ? { ignored_users: ignored() } : value;
    await writeSettings(hostOf(userId).db, userId, type, content);
  }

  /** What a server learns: of a room with its people all that happens, and when it comes in anew, who is there. */
  async function learn(room: Room, serverName: string, { db, knows }: Host): Promise<void> {
    let known = knows.get(room.id);
    if (known === undefined) {
      known = new Map();
      knows.set(room.id, known);
    }
    for (const [userId, membership] of room.members) {
      const previous = known.get(userId) ?? 'leave';
      if (previous === membership) continue;
      known.set(userId, membership);
      await writeMembership(db, serverName, room.nid, { userId, membership, previous });
    }
  }

  async function move(room: Room, userId: string, membership: string): Promise<void> {
    const inside = () => new Set([...room.members.keys()].filter((who) => isJoined(room, who)).map(serverOf));
    const before = inside();
    const wasIn = isJoined(room, userId);
    room.members.set(userId, membership);
    if (wasIn && membership !== 'join') dropFromLists(userId, room.id);
    if (!wasIn && membership === 'join') {
      for (const device of devices) if (device.userId === userId) device.newRooms.add(room.nid);
    }
    for (const serverName of before.union(inside())) await learn(room, serverName, hosts.get(serverName) as Host);
  }

  /** "Servers SHOULD […] remove rooms from either allow or denied list when the user leaves the room." */
  function dropFromLists(userId: string, roomId: string): void {
    const mine = settings.get(userId);
    for (const type of sharingTypes) {
      const content = mine?.get(type) as Record<string, unknown> | undefined;
      if (content === undefined) continue;
      const without = (list: unknown) => (Array.isArray(list) ? list.filter((entry) => entry !== roomId) : list);
      mine?.set(type, Object.fromEntries(Object.entries(content).map(([key, list]) => [key, without(list)])));
    }
  }

  async function truth(userId: string): Promise<Shown> {
    return hostOf(userId).server.presence.get(userId, userId);
  }

  async function deliver(): Promise<boolean> {
    let moved = false;
    for (const [origin, { server }] of hosts) {
      for (const [name, host] of hosts) {
        if (name === origin) continue;
        for (const content of server.take(name)) {
          moved = true;
          for (const push of content['push'] as JsonObject[]) forgotten.delete(`${name} ${push['user_id'] as string}`);
          await host.server.receive(origin, content);
        }
      }
    }
    return moved;
  }

  const settled = async (): Promise<void> => {
    for (const { server } of hosts.values()) await server.settled();
  };

  return {
    people,
    rooms,
    devices,
    views,
    forgotten,
    settingsOf,
    set,
    move,
    truth,
    isJoined,
    hostOf,
    settled,
    deliver,
    /** The lists as they are stored: without rooms that the person has left. */
    async storedSettings(userId: string): Promise<readonly unknown[]> {
      const { db } = hostOf(userId);
      const content = firstSet(await Promise.all(sharingTypes.map((type) => readSettings(db, userId, type))));
      return [listOf(content['allowed_users']), listOf(content['denied_users'])];
    },
    /** Lets time pass until nothing moves any more. */
    async calm(): Promise<void> {
      let before = '';
      for (let quiet = 0; quiet < 7; quiet++) {
        clock.pass(1000);
        await settled();
        const moved = await deliver();
        await settled();
        const now = JSON.stringify(await Promise.all(people.map(stateOf)));
        if (moved || now !== before) quiet = 0;
        before = now;
      }
    },
    /** A device syncs, if there is something for it or it has no token yet. Gives what it was shown. */
    async poll(device: Device): Promise<ReadonlyMap<string, Shown>> {
      const { server } = hostOf(device.userId);
      const { token } = device;
      if (token !== undefined && device.newRooms.size === 0 && !server.isPending(device.userId, token))
        return new Map();
      const { events, next } = await server.read(device.userId, token, device.newRooms);
      device.token = next;
      device.newRooms.clear();
      const view = views.get(device);
      for (const [userId, content] of events) view?.set(userId, content);
      return events;
    },
    forgetToken(device: Device): void {
      device.token = undefined;
      views.get(device)?.clear();
    },
    async restart(serverName: string, how: 'stop' | 'kill'): Promise<void> {
      await servers.restart(serverName, how);
      for (const person of people) if (serverOf(person) !== serverName) forgotten.add(`${serverName} ${person}`);
    },
  };

  async function stateOf(userId: string): Promise<unknown> {
    const { presence, status_msg } = await truth(userId);
    return [presence, status_msg];
  }
}

export type World = Awaited<ReturnType<typeof createWorld>>;
