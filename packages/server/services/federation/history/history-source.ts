import type { JsonValue, ServerName } from '@portico/protocol';
import {
  backfill,
  getEvent,
  getEventAuth,
  getState,
  getStateIds,
  timestampToEvent,
} from '../../../federation-api/history.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import { asObject, asString, type ListElement, readLists } from '../client/read-lists.ts';
import type { OutboundStream } from '../../outbound/outbound.ts';
import type { CheckedPdu, CheckPdus } from '../rooms/check-pdus.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';

/** A room's history as other servers give it: events that passed the checks on receipt, and are of the room. */
export interface HistorySource {
  /** Events and those before them. */
  before(room: FederatedRoom, server: ServerName, eventIds: readonly string[]): Promise<readonly CheckedPdu[]>;
  event(room: FederatedRoom, server: ServerName, eventId: string): Promise<CheckedPdu | undefined>;
  authChain(room: FederatedRoom, server: ServerName, eventId: string): Promise<readonly CheckedPdu[]>;
  stateIds(
    room: FederatedRoom,
    server: ServerName,
    eventId: string,
  ): Promise<{ readonly state: readonly string[]; readonly authChain: readonly string[] }>;
  /** The events of the state before an event, and those by which they are allowed. */
  state(room: FederatedRoom, server: ServerName, eventId: string): Promise<readonly CheckedPdu[]>;
  /** The event closest to a time, in one direction; `undefined` if the server knows of none. */
  byTime(
    room: FederatedRoom,
    server: ServerName,
    ts: number,
    direction: 'forwards' | 'backwards',
  ): Promise<{ readonly eventId: string; readonly ts: number } | undefined>;
}

/** Events asked for at once. */
export const historyLimit = 100;
/** Events from which a server is asked to go back. */
export const mostStarts = 20;

type Dependencies = { readonly client: FederationClient; readonly checkPdus: CheckPdus };

const chain = 'auth_chain';
const chainLists: ReadonlySet<string> = new Set([chain]);
const stateLists: ReadonlySet<string> = new Set([chain, 'pdus']);
const stateIds = 'pdu_ids';
const idLists: ReadonlySet<string> = new Set([stateIds, 'auth_chain_ids']);

export function createHistorySource({ client, checkPdus }: Dependencies): HistorySource {
  async function check(room: FederatedRoom, values: Parameters<CheckPdus>[1]): Promise<CheckedPdu[]> {
    const checked = await checkPdus(room.rules, values);
    return checked.filter((each) => each.kind === 'ok').filter(({ event }) => event.roomId === room.roomId);
  }

  /** Reads an answer that may be long. What says nothing of something is no answer: it would be taken for nothing. */
  async function read<T>(
    answer: OutboundStream,
    names: ReadonlySet<string>,
    as: (value: JsonValue | undefined) => T,
    take: (elements: readonly ListElement<T>[]) => Promise<void> | void,
  ): Promise<void> {
    const rest = await readLists(answer, names, as, take);
    const lacking = [...names].find((name) => !Array.isArray(rest[name]));
    if (lacking !== undefined) throw new FederationError('bad-answer', `An answer has no ${lacking}`);
  }

  /** Events of an answer that may be long, each once. What does not pass is let go of before more is read. */
  async function readEvents(
    room: FederatedRoom,
    answer: OutboundStream,
    names: ReadonlySet<string>,
  ): Promise<readonly CheckedPdu[]> {
    const found = new Map<string, CheckedPdu>();
    await read(answer, names, asObject, async (elements) => {
      const values = elements.map(({ value }) => value);
      for (const each of await check(room, values)) found.set(each.event.eventId, each);
    });
    return [...found.values()];
  }

  return {
    async before(room, server, eventIds) {
      const answer = await client.call(
        backfill,
        server,
        { params: { roomId: room.roomId }, query: { v: eventIds.slice(0, mostStarts), limit: historyLimit } },
        // Somebody waits for it.
        { timeout: 10_000 },
      );
      return check(room, answer.pdus.slice(0, historyLimit + mostStarts));
    },
    async event(room, server, eventId) {
      const answer = await client.call(getEvent, server, { params: { eventId } });
      const [event] = await check(room, answer.pdus.slice(0, 1));
      return event?.event.eventId === eventId ? event : undefined;
    },
    async authChain(room, server, eventId) {
      const params = { roomId: room.roomId, eventId };
      return readEvents(room, await client.open(getEventAuth, server, { params }), chainLists);
    },
    async stateIds(room, server, eventId) {
      const input = { params: { roomId: room.roomId }, query: { event_id: eventId } };
      const [state, authChain]: [string[], string[]] = [[], []];
      await read(await client.open(getStateIds, server, input), idLists, asString, (elements) => {
        for (const { list, value } of elements) (list === stateIds ? state : authChain).push(value);
      });
      return { state, authChain };
    },
    async state(room, server, eventId) {
      const input = { params: { roomId: room.roomId }, query: { event_id: eventId } };
      return readEvents(room, await client.open(getState, server, input), stateLists);
    },
    async byTime(room, server, ts, direction) {
      const query = { ts, dir: direction === 'forwards' ? ('f' as const) : ('b' as const) };
      try {
        const found = await client.call(timestampToEvent, server, { params: { roomId: room.roomId }, query });
        return { eventId: found.event_id, ts: found.origin_server_ts };
      } catch (error) {
        if (error instanceof FederationError) return undefined;
        throw error;
      }
    },
  };
}
