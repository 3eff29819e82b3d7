import { parseServerName, type ServerName } from '@portico/protocol';
import { getHierarchy } from '../../../federation-api/spaces.ts';
import { createSmallCache } from '../../reading/small-cache.ts';
import type { RemoteQuestion, RemoteRoom, RemoteSpaces } from '../../spaces/remote-spaces.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import { parseRemoteRoom } from './parse-remote-room.ts';

/** `undefined`: nobody tells. */
type Known = { readonly room: RemoteRoom | undefined; readonly until: number };

const mostServers = 3;
const askedAtOnce = 8;
const maxRooms = 2000;
/** Children told of one room that are remembered, for a room of many would fill the memory. */
const mostKeptChildren = 200;
/** For that long the pages of one hierarchy are of the same answers, in milliseconds. */
const keptFor = 5 * 60_000;
const failureKeptFor = 30_000;

/**
 * Asks servers about rooms that this one is not in: each room of one server after the other, and remembered for a while. What
 * a server says counts where that server is asked, and nowhere else: who names one to ask may be in league with it.
 */
export function createRemoteSpaces({
  client,
  now,
}: {
  readonly client: FederationClient;
  readonly now: () => number;
}): RemoteSpaces {
  const known = createSmallCache<string, Known>(maxRooms);
  const underway = new Map<string, Promise<RemoteRoom | undefined>>();

  function remembered(server: ServerName, roomId: string): Known | undefined {
    const found = known.get(keyOf(server, roomId));
    return found !== undefined && found.until > now() ? found : undefined;
  }

  async function askOne(server: ServerName, roomId: string): Promise<RemoteRoom | undefined> {
    const answer = await client.call(getHierarchy, server, { params: { roomId }, query: { suggested_only: false } });
    const room = parseRemoteRoom(answer.room);
    if (room?.roomId !== roomId) return undefined;
    // Of children that are no spaces there is nothing more to be told; others are asked about themselves.
    for (const value of answer.children.slice(0, mostKeptChildren)) {
      const child = parseRemoteRoom(value);
      const isSpace = child !== undefined && 'room_type' in child.summary;
      if (child === undefined || isSpace || remembered(server, child.roomId) !== undefined) continue;
      known.set(keyOf(server, child.roomId), { room: { ...child, children: [] }, until: now() + keptFor });
    }
    return { ...room, children: room.children ?? [] };
  }

  async function ask(server: ServerName, roomId: string): Promise<RemoteRoom | undefined> {
    let room: RemoteRoom | undefined;
    try {
      room = await askOne(server, roomId);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      // A server that refuses may tell tomorrow what it does not tell now: as soon as somebody of this one joins a room.
      if (error.failure === 'refused') return undefined;
    }
    known.set(keyOf(server, roomId), { room, until: now() + (room === undefined ? failureKeptFor : keptFor) });
    return room;
  }

  function askOnce(server: ServerName, roomId: string): Promise<RemoteRoom | undefined> {
    const key = keyOf(server, roomId);
    const asked = underway.get(key) ?? ask(server, roomId).finally(() => underway.delete(key));
    underway.set(key, asked);
    return asked;
  }

  async function find({ roomId, via }: RemoteQuestion): Promise<RemoteRoom | undefined> {
    const named = new Set(via.map((name) => parseServerName(name)).filter((name) => name !== undefined));
    const servers = [...named].slice(0, mostServers);
    const told = servers.map((server) => remembered(server, roomId)?.room).find((room) => room !== undefined);
    if (told !== undefined) return told;
    for (const server of servers) {
      const room = remembered(server, roomId) === undefined ? await askOnce(server, roomId) : undefined;
      if (room !== undefined) return room;
    }
    return undefined;
  }

  return {
    async describe(rooms) {
      const found = new Map<string, RemoteRoom>();
      for (let start = 0; start < rooms.length; start += askedAtOnce) {
        for (const room of await Promise.all(rooms.slice(start, start + askedAtOnce).map(find))) {
          if (room !== undefined) found.set(room.roomId, room);
        }
      }
      return found;
    },
  };
}

function keyOf(server: ServerName, roomId: string): string {
  return `${server} ${roomId}`;
}
