import { isJsonObject, type JsonObject, type JsonValue, parsePdu } from '@portico/protocol';
import type { Logger } from '../../../observability/logger.ts';
import { MissingEventsError } from '../../rooms/receiving/received-event.ts';
import type { CheckedPdu, CheckPdus, RefusedPdu } from '../rooms/check-pdus.ts';
import type { FederatedRoom, FederatedRooms } from '../rooms/federated-rooms.ts';
import { comesAgain } from './comes-again.ts';
import type { InboundEdus } from './edus.ts';
import type { Entering } from './entering.ts';
import type { EndRequests } from './ended-requests.ts';
import { createInTime } from './in-time.ts';
import type { LateEvents } from './late-events.ts';
import type { IngestEvent } from './room-inbox.ts';
import type { OriginQueues } from './origin-queues.ts';

export type PduResults = { readonly [eventId: string]: { readonly error?: string } };

/** What is in a transaction, none of which has been looked at. */
export type Transaction = { readonly pdus: readonly JsonValue[]; readonly edus: readonly JsonValue[] };

export interface InboundTransactions {
  /**
   * Takes what another server sends. Nothing that is wrong in it disturbs the rest. Rejects where this server cannot take it
   * now: it is to come again as it is.
   */
  receive(origin: string, txnId: string, transaction: Transaction): Promise<PduResults>;
}

type Dependencies = {
  readonly rooms: FederatedRooms;
  readonly checkPdus: CheckPdus;
  readonly ingest: IngestEvent;
  readonly edus: InboundEdus;
  readonly endRequests: EndRequests;
  readonly entering: Entering;
  readonly origins: OriginQueues;
  readonly late: Pick<LateEvents, 'keep' | 'forget'>;
  readonly log: Logger;
};

/** Transactions whose results are remembered. Events themselves are taken once, however often they come. */
const maxRemembered = 1000;
/** Events that wait for their rooms to be entered. */
const maxEarly = 1000;
/**
 * For how long an answer waits for what an event builds on to be fetched, in milliseconds. The sender sends nothing else
 * meanwhile, of no room, and gives up after a while.
 */
const patience = 2000;
/** Events for which others are fetched and no answer waits. */
const maxLate = 1000;
/** A server that has nothing to give when it is asked must not take the places of all others. */
const maxLateOfOrigin = 100;

export function createInboundTransactions(deps: Dependencies): InboundTransactions {
  const { rooms, checkPdus, ingest, origins, log } = deps;
  const remembered = new Map<string, Promise<PduResults>>();
  const inTime = createInTime({
    patience,
    most: maxLate,
    mostOfOwner: maxLateOfOrigin,
    onFailure: (error) => log.info({ error }, 'An event that was fetched for could not be received'),
  });
  let early = 0;

  async function ofEvent(
    room: FederatedRoom,
    origin: string,
    checked: CheckedPdu | RefusedPdu,
    results: { [eventId: string]: { error?: string } },
    onFetch: () => void,
  ): Promise<void> {
    if (checked.kind === 'refused') {
      if (checked.eventId !== undefined) results[checked.eventId] = { error: checked.reason };
      return;
    }
    const { eventId } = checked.event;
    const { roomId } = room;
    // Also where it is not known in time what becomes of it: it is asked for again with the next one that follows it.
    results[eventId] = {};
    try {
      const outcome = await ingest(room, checked, origin, onFetch);
      if (outcome.kind === 'rejected') results[eventId] = { error: outcome.reason };
    } catch (error) {
      if (comesAgain(error)) throw error;
      if (error instanceof MissingEventsError) {
        // Nothing is wrong with the event.
        log.info({ error, roomId, eventId, origin }, 'What an event builds on could not be had');
        return;
      }
      log.warn({ error, roomId, eventId, origin }, 'An event of another server could not be received');
      results[eventId] = { error: 'The event could not be processed.' };
    }
  }

  /** `ready`: when the events may be shown. */
  async function ofRoom(
    origin: string,
    roomId: string,
    pdus: readonly JsonObject[],
    ready: Promise<void>,
  ): Promise<PduResults> {
    const entered = deps.entering.ended(roomId);
    const room = await rooms.find(roomId, origin);
    if (room === undefined || !room.isOurs) {
      if (entered === undefined || early + pdus.length > maxEarly) await deps.endRequests(pdus);
      else void keepUntil(entered, origin, roomId, pdus, ready);
      return {};
    }
    const { rules } = room;
    const results: { [eventId: string]: { error?: string } } = {};
    if (!room.isAllowed) {
      for (const pdu of pdus) {
        const parsed = parsePdu(rules, pdu);
        if (parsed.kind === 'ok') results[parsed.eventId] = { error: 'The room does not allow your server.' };
      }
      return results;
    }
    const checked = await checkPdus(rules, pdus);
    await ready;
    await Promise.all(
      checked.map((each) =>
        inTime({
          owner: origin,
          run: (onSlow) => ofEvent(room, origin, each, results, onSlow),
          keep: async () => (each.kind === 'ok' ? deps.late.keep(room, origin, each) : undefined),
          forget: async () => (each.kind === 'ok' ? deps.late.forget(each.event.eventId) : undefined),
        }),
      ),
    );
    return results;
  }

  /** Takes events of a room that another server already knows this one to be in, once it is. */
  async function keepUntil(
    entered: Promise<unknown>,
    origin: string,
    roomId: string,
    pdus: readonly JsonObject[],
    ready: Promise<void>,
  ): Promise<void> {
    early += pdus.length;
    try {
      await entered;
      await ofRoom(origin, roomId, pdus, ready);
    } catch (error) {
      log.warn({ error, roomId, origin }, 'Events that came before their room was entered could not be received');
    } finally {
      early -= pdus.length;
    }
  }

  async function takeEvents(origin: string, pdus: readonly JsonValue[], ready: Promise<void>): Promise<PduResults> {
    const byRoom = new Map<string, JsonObject[]>();
    for (const pdu of pdus) {
      if (!isJsonObject(pdu)) continue;
      const roomId = pdu['room_id'];
      if (typeof roomId !== 'string') continue;
      const list = byRoom.get(roomId);
      if (list === undefined) byRoom.set(roomId, [pdu]);
      else list.push(pdu);
    }
    const results = await Promise.all([...byRoom].map(([roomId, list]) => ofRoom(origin, roomId, list, ready)));
    return Object.assign({}, ...results) as PduResults;
  }

  async function take(origin: string, { pdus, edus }: Transaction): Promise<PduResults> {
    // A message to a device may be the key to an event that comes with it, and a new device may be one that has to be able to
    // read the answer. Signatures are checked meanwhile.
    const first = deps.edus.receive(origin, edus, 'nothing');
    const results = takeEvents(origin, pdus, first);
    await Promise.allSettled([results, first]);
    await first;
    await deps.edus.receive(origin, edus, 'events');
    return results;
  }

  return {
    receive(origin, txnId, transaction) {
      const key = `${origin} ${txnId}`;
      const known = remembered.get(key);
      if (known !== undefined) return known;
      const result = origins.run(origin, () => take(origin, transaction));
      remembered.set(key, result);
      result.catch(() => remembered.delete(key));
      if (remembered.size > maxRemembered) remembered.delete(remembered.keys().next().value ?? key);
      return result;
    },
  };
}
