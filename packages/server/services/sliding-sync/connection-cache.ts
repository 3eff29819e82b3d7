import type { ConfigRow } from '@portico/storage/stores/sync/sliding-connections.ts';
import type { Answered, ConnectionState, SentRoom, SentRooms } from './connection-state.ts';

/** A connection as its rows are: what the client surely has, and answers that it may have got. */
export type KnownConnection = {
  readonly owner: string;
  readonly base: { serial: number; readonly rooms: Map<number, SentRoom> };
  readonly answers: Map<number, { readonly parent: number; readonly rooms: SentRooms }>;
  /** Hashes of what is stored. */
  readonly configs: Set<string>;
  answered: (Answered & { readonly serial: number }) | undefined;
};

export interface ConnectionCache {
  get(nid: number): KnownConnection | undefined;
  put(nid: number, connection: KnownConnection): void;
  drop(nid: number): void;
  /** What the connection remembers for a client that has an answer; all others are then of no use any more. */
  stateAt(nid: number, owner: string, serial: number): ConnectionState | undefined;
  addAnswer(
    nid: number,
    serial: number,
    answer: { readonly parent: number; readonly rooms: SentRooms },
    configs: readonly ConfigRow[],
  ): void;
  noteAnswered(nid: number, serial: number, answered: Answered | undefined): void;
}

/** Rooms of all connections in memory, and how much a connection weighs besides. */
const maxWeight = 200_000;
const ownWeight = 20;
/** Answers to the same request. */
const maxAnswers = 8;
/** The longest request that is remembered, in characters. */
const maxShape = 16_384;

/** Forgets the connections that were not used for longest; their rows are read again when they are. */
export function createConnectionCache(): ConnectionCache {
  const connections = new Map<number, KnownConnection>();
  let weight = 0;
  const weigh = ({ base }: KnownConnection) => base.rooms.size + ownWeight;

  function drop(nid: number): void {
    const known = connections.get(nid);
    if (known === undefined) return;
    connections.delete(nid);
    weight -= weigh(known);
  }

  function makeRoom(): void {
    for (const nid of connections.keys()) {
      if (weight <= maxWeight) return;
      drop(nid);
    }
  }

  /** Makes an answer that the client has shown the base. */
  function settle(connection: KnownConnection, serial: number): boolean {
    if (connection.base.serial === serial) return true;
    const answer = connection.answers.get(serial);
    if (answer?.parent !== connection.base.serial) return false;
    weight -= weigh(connection);
    for (const [nid, room] of answer.rooms) connection.base.rooms.set(nid, room);
    weight += weigh(connection);
    connection.base.serial = serial;
    for (const [other, { parent }] of connection.answers) if (parent !== serial) connection.answers.delete(other);
    return true;
  }

  return {
    get: (nid) => connections.get(nid),
    put(nid, connection) {
      drop(nid);
      connections.set(nid, connection);
      weight += weigh(connection);
      makeRoom();
    },
    drop,
    stateAt(nid, owner, serial) {
      const known = connections.get(nid);
      if (known?.owner !== owner) return undefined;
      if (!settle(known, serial)) {
        drop(nid);
        return undefined;
      }
      connections.delete(nid);
      connections.set(nid, known);
      const { answered } = known;
      return { nid, serial, rooms: known.base.rooms, answered: answered?.serial === serial ? answered : undefined };
    },
    addAnswer(nid, serial, answer, configs) {
      const known = connections.get(nid);
      if (known === undefined) return;
      known.answers.set(serial, answer);
      const [oldest] = known.answers.keys();
      if (oldest !== undefined && known.answers.size > maxAnswers) known.answers.delete(oldest);
      for (const { hash } of configs) known.configs.add(hash);
    },
    noteAnswered(nid, serial, answered) {
      const known = connections.get(nid);
      if (known === undefined) return;
      known.answered = answered === undefined || answered.shape.length > maxShape ? undefined : { ...answered, serial };
    },
  };
}
