import { createHash } from 'node:crypto';
import {
  formatRequiredState,
  readRequiredState,
  type RequiredState,
} from '@portico/protocol/sliding-sync/required-state.ts';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import {
  addAnswer,
  addConfigs,
  addConnection,
  dropConnections,
  dropUnusedConfigs,
  findConnection,
  readAnswers,
  readConfigs,
  readConnections,
  readSentRooms,
  unpackRooms,
  type ConnectionKey,
  type SentRoomRow,
} from '@portico/storage/stores/sync/sliding-connections.ts';
import { createQueuesByKey } from '../queues-by-key.ts';
import { createConnectionCache } from './connection-cache.ts';
import type { Answered, ConnectionState, SentRoom, SentRooms } from './connection-state.ts';

export interface Connections {
  /** `undefined` if there is no such connection any more, or it is past that answer. */
  find(key: ConnectionKey, nid: number, serial: number): Promise<ConnectionState | undefined>;
  /** Remembers what an answer changes, and answers the connection's number and the answer's serial. */
  save(
    key: ConnectionKey,
    before: ConnectionState,
    changes: SentRooms,
  ): Promise<{ readonly nid: number; readonly serial: number }>;
  /** Notes what an answer was made of, for the next request. */
  noteAnswered(nid: number, serial: number, answered: Answered | undefined): void;
}

/** "Servers SHOULD limit […] the number of connections a device can have active." */
const maxConnections = 10;
const maxTries = 3;
/** Starts of one device. */
const mostWaiting = 100;
/** When a connection has stored more different wishes than that, those that no room has any more go. */
const manyConfigs = 100;

export function createConnections({ db, now }: { readonly db: Database; readonly now: () => number }): Connections {
  const cache = createConnectionCache();
  const starts = createQueuesByKey(mostWaiting);

  async function load(key: ConnectionKey, nid: number): Promise<boolean> {
    const row = await findConnection(db, nid, key);
    if (row === undefined) return false;
    const [rooms, answers, configs] = await Promise.all([
      readSentRooms(db, nid),
      readAnswers(db, nid),
      readConfigs(db, nid),
    ]);
    // What was read may be of different moments: then it is not what the base was.
    if ((await findConnection(db, nid, key))?.base_serial !== row.base_serial) return false;
    const states = new Map(configs.map(({ hash, config }) => [hash, readRequiredState(config)]));
    const fromRows = (rows: readonly SentRoomRow[]) => {
      const sent = new Map<number, SentRoom>();
      for (const room of rows) {
        const state = states.get(room.config);
        if (state !== undefined) sent.set(room.room_nid, fromRow(room, state));
      }
      return sent;
    };
    cache.put(nid, {
      owner: ownerOf(key),
      base: { serial: row.base_serial, rooms: fromRows(rooms) },
      answers: new Map(
        answers.map(({ serial, parent, rooms: text }) => [serial, { parent, rooms: fromRows(unpackRooms(text)) }]),
      ),
      configs: new Set(states.keys()),
      answered: undefined,
    });
    return true;
  }

  /** One after the other: each drops what the ones before it have started. */
  function start(key: ConnectionKey, changes: SentRooms): Promise<{ nid: number; serial: number }> {
    return starts.run(`${key.userId} ${key.deviceId}`, () => startInTurn(key, changes));
  }

  async function startInTurn(key: ConnectionKey, changes: SentRooms): Promise<{ nid: number; serial: number }> {
    const { userId, deviceId, connId } = key;
    for (let tries = 1; ; tries++) {
      const nid = await db.reserveIds('sliding_connection', 1);
      const serial = await db.reserveIds('sliding_answer', 1);
      const others = await readConnections(db, userId, deviceId);
      const [replaced, kept] = [
        others.filter((other) => other.conn_id === connId),
        others.filter((other) => other.conn_id !== connId),
      ];
      const surplus = kept.slice(0, Math.max(kept.length - maxConnections + 1, 0));
      const dropped = [...replaced, ...surplus].map((other) => other.connection_nid);
      const set = createWriteSet();
      dropConnections(
        set,
        surplus.map((other) => other.connection_nid),
      );
      const { rows, configs } = toRows(changes, new Set());
      addConnection(set, { userId, deviceId, connId, nid, serial }, rows, now());
      addConfigs(set, nid, configs);
      try {
        await db.commit(set);
      } catch (error) {
        const isRaced = error instanceof StorageError && error.guard === 'sliding.raced';
        if (!isRaced || tries >= maxTries) throw error;
        continue;
      }
      for (const other of dropped) cache.drop(other);
      cache.put(nid, {
        owner: ownerOf(key),
        base: { serial, rooms: new Map(changes) },
        answers: new Map(),
        configs: new Set(configs.map(({ hash }) => hash)),
        answered: undefined,
      });
      return { nid, serial };
    }
  }

  async function go(nid: number, parent: number, changes: SentRooms): Promise<{ nid: number; serial: number }> {
    const serial = await db.reserveIds('sliding_answer', 1);
    const set = createWriteSet();
    const known = cache.get(nid)?.configs ?? new Set();
    const { rows, configs } = toRows(changes, known);
    const isCrowded = known.size > manyConfigs && configs.length > 0;
    addConfigs(set, nid, configs);
    addAnswer(set, nid, { serial, parent, rooms: rows }, now());
    if (isCrowded) dropUnusedConfigs(set, nid);
    try {
      await db.commit(set);
    } catch (error) {
      // Another process may have gone on with it: what is in memory is no longer true.
      cache.drop(nid);
      throw error;
    }
    // Which are stored now, the next request reads.
    if (isCrowded) cache.drop(nid);
    else cache.addAnswer(nid, serial, { parent, rooms: changes }, configs);
    return { nid, serial };
  }

  return {
    async find(key, nid, serial) {
      const owner = ownerOf(key);
      const known = cache.stateAt(nid, owner, serial);
      if (known !== undefined) return known;
      return (await load(key, nid)) ? cache.stateAt(nid, owner, serial) : undefined;
    },
    save: (key, { nid, serial }, changes) => (nid === undefined ? start(key, changes) : go(nid, serial, changes)),
    noteAnswered: cache.noteAnswered,
  };
}

function ownerOf({ userId, deviceId, connId }: ConnectionKey): string {
  return JSON.stringify([userId, deviceId, connId]);
}

function toRows(changes: SentRooms, known: ReadonlySet<string>) {
  const configs = new Map<string, string>();
  const hashes = new Map<RequiredState, string>();
  const hashOf = (state: RequiredState): string => {
    let hash = hashes.get(state);
    if (hash === undefined) {
      const config = formatRequiredState(state);
      hash = createHash('sha256').update(config).digest('base64url').slice(0, 22);
      hashes.set(state, hash);
      if (!known.has(hash)) configs.set(hash, config);
    }
    return hash;
  };
  const rows = Array.from(changes, ([nid, room]) => toRow(nid, room, hashOf(room.state)));
  return { rows, configs: Array.from(configs, ([hash, config]) => ({ hash, config })) };
}

function toRow(nid: number, { sentTo, limit, membership, isDm, behind }: SentRoom, config: string): SentRoomRow {
  return {
    room_nid: nid,
    sent_to: sentTo === 'live' ? -1 : sentTo,
    timeline_limit: limit,
    membership: membership ?? '',
    is_dm: isDm ? 1 : 0,
    config,
    behind,
  };
}

function fromRow(row: SentRoomRow, state: RequiredState): SentRoom {
  return {
    sentTo: row.sent_to === -1 ? 'live' : row.sent_to,
    limit: row.timeline_limit,
    membership: row.membership === '' ? undefined : row.membership,
    isDm: row.is_dm === 1,
    state,
    behind: row.behind,
  };
}
