import { serverNameOf } from '@portico/protocol';
import { readEndedRequests, readNews, readRoomHosts } from '@portico/storage/stores/federation/federation-outgoing.ts';
import type { Destination } from './destination.ts';
import type { LonelyRooms } from './lonely-rooms.ts';
import { newsFor } from './news-for.ts';
import { receiptDelay } from './receipt-delay.ts';
import type { SenderDependencies } from './sender-dependencies.ts';

/** Finds the servers that are to have what has been committed, and offers it to them. */
export interface Looking {
  /** Something has happened in a room that was committed after a position. */
  note(kind: 'rooms' | 'receiptRooms', roomNid: number, after: number): void;
  /** Looks at all rooms that were noted. */
  start(): void;
  /** What was committed after this has not been offered to everybody yet; infinite when it has. */
  readonly after: number;
  /** Once what is being looked at has been offered. */
  close(): Promise<void>;
}

type Dependencies = Pick<SenderDependencies, 'db' | 'serverName'> & {
  readonly lonely: LonelyRooms;
  /** The destination of a server that lacks what was committed after a position, if it is to be sent that now. */
  readonly find: (host: string, after: number) => Destination | undefined;
  /** A server was let into a room, and will soon have something sent. */
  readonly prepareFor: (host: string, after: number) => void;
  /** Whether somebody looks for servers that are behind, so that what is offered may not be all that they lack. */
  readonly isTakingOver: () => boolean;
  /** What was committed after a position has to be found by that. */
  readonly onFailure: (error: unknown, after: number) => Promise<void>;
};

/** Events of one moment that are kept in memory for those who are to have them; beyond, they are read for each. */
const maxNews = 500;

export function createLooking(deps: Dependencies): Looking {
  const { db, serverName, lonely, find, prepareFor, isTakingOver, onFailure } = deps;
  const closing = new AbortController();
  const waiting = { rooms: new Set<number>(), receiptRooms: new Set<number>(), after: Infinity };
  let lookingAfter = Infinity;
  let looking: Promise<void> | undefined;

  /** Finds out, for all rooms of a moment at once, what there is for whom. */
  async function lookAt(rooms: readonly number[], receiptRooms: readonly number[], after: number): Promise<void> {
    const upTo = db.currentPosition();
    const foundLonely = lonely.look();
    const news = rooms.length === 0 ? [] : await readNews(db, serverName, rooms, { after, upTo, limit: maxNews });
    const isTooMuch = news.length === maxNews;
    const newsRooms = isTooMuch ? rooms : news.map(({ room_nid: roomNid }) => roomNid);
    const concerned = [...new Set([...newsRooms, ...receiptRooms])];
    if (concerned.length === 0) return;
    const [rows, ended] = await Promise.all([
      readRoomHosts(db, serverName, concerned, after),
      news.length === 0 ? [] : readEndedRequests(db, serverName, concerned, { after, upTo }),
    ]);
    const [rowsOf, endedOf] = [Map.groupBy(rows, ({ host }) => host), Map.groupBy(ended, ({ host }) => host)];
    for (const host of new Set([...rowsOf.keys(), ...endedOf.keys()])) {
      if (isTooMuch || isTakingOver()) find(host, after)?.offerAnything();
      else {
        const wanted = newsFor(host, rowsOf.get(host) ?? [], endedOf.get(host) ?? [], news);
        if (wanted.length > 0) find(host, after)?.offer(wanted, after);
      }
    }
    for (const host of new Set(news.map(({ sender }) => serverNameOf(sender) ?? ''))) {
      if (rowsOf.has(host)) prepareFor(host, after);
    }
    const hostsOf = Map.groupBy(rows, ({ room_nid: roomNid }) => roomNid);
    foundLonely(concerned.filter((roomNid) => !hostsOf.has(roomNid)));
    for (const roomNid of receiptRooms) {
      const hosts = hostsOf.get(roomNid) ?? [];
      const delay = receiptDelay(hosts.length);
      for (const { host, left_position: left } of hosts) {
        if (left === null) find(host, after)?.offerReceipts([roomNid], after, delay);
      }
    }
  }

  async function look(): Promise<void> {
    while (waiting.after !== Infinity && !closing.signal.aborted) {
      const [rooms, receiptRooms, after] = [[...waiting.rooms], [...waiting.receiptRooms], waiting.after];
      waiting.rooms.clear();
      waiting.receiptRooms.clear();
      waiting.after = Infinity;
      lookingAfter = after;
      await lookAt(rooms, receiptRooms, after);
      lookingAfter = Infinity;
    }
  }

  function start(): void {
    if (waiting.after === Infinity || closing.signal.aborted) return;
    looking ??= look()
      .catch((error: unknown) => onFailure(error, lookingAfter))
      .finally(() => {
        lookingAfter = Infinity;
        looking = undefined;
        start();
      });
  }

  return {
    note(kind, roomNid, after) {
      waiting[kind].add(roomNid);
      waiting.after = Math.min(waiting.after, after);
    },
    start,
    get after() {
      return Math.min(waiting.after, lookingAfter);
    },
    async close() {
      closing.abort();
      await looking;
    },
  };
}
