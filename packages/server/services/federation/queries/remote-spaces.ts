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

/** Asks servers about rooms that this one is not in: each room of one server after the other, and remembered for a while. */
export function createRemoteSpaces({
  client,
  now,
}: {
  readonly client: FederationClient;
  readonly now: () => number;
}): RemoteSpaces {
  const known = createSmallCache<string, Known>(maxRooms);
  const underway = new Map<string, Promise<RemoteRoom | undefined>>();

  async function askOne(server: ServerName, roomId: string): Promise<RemoteRoom | undefined> {
    const answer = await client.call(getHierarchy, server, { params: { roomId }, query: { suggested_only: false } });
    const room = parseRemoteRoom(answer.room);
    if (room?.roomId !== roomId) return undefined;
    // Of children that are no spaces there is nothing more to be told; others are asked about themselves.
    for (const value of answer.children.slice(0, mostKeptChildren)) {
      const child = parseRemoteRoom(value);
      const isSpace = child !== undefined && 'room_type' in child.summary;
      if (child === undefined || isSpace || (known.get(child.roomId)?.until ?? 0) > now()) continue;
      known.set(child.roomId, { room: { ...child, children: [] }, until: now() + keptFor });
    }
    return { ...room, children: room.children ?? [] };
  }

  async function ask({ roomId, via }: RemoteQuestion): Promise<RemoteRoom | undefined> {
    const servers = new Set(via.map((name) => parseServerName(name)).filter((name) => name !== undefined));
    let room: RemoteRoom | undefined;
    let isRefused = false;
    for (const server of [...servers].slice(0, mostServers)) {
      try {
        room = await askOne(server, roomId);
      } catch (error) {
        if (!(error instanceof FederationError)) throw error;
        isRefused ||= error.failure === 'refused';
      }
      if (room !== undefined) break;
    }
    if (room !== undefined) known.set(roomId, { room, until: now() + keptFor });
    // A server that refuses may tell tomorrow what it does not tell now: as soon as somebody of this one joins a room.
    else if (!isRefused) known.set(roomId, { room, until: now() + failureKeptFor });
    return room;
  }

  async function find(question: RemoteQuestion): Promise<RemoteRoom | undefined> {
    const { roomId } = question;
    const before = known.get(roomId);
    if (before !== undefined && before.until > now()) return before.room;
    const asked = underway.get(roomId) ?? ask(question).finally(() => underway.delete(roomId));
    underway.set(roomId, asked);
    return asked;
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
