import { isJsonObject, type JsonObject, parsePdu } from '@portico/protocol';
import type { Logger } from '../../../observability/logger.ts';
import type { CheckPdus } from '../rooms/check-pdus.ts';
import type { FederatedRooms } from '../rooms/federated-rooms.ts';
import type { IngestEvent } from './ingest.ts';
import type { RoomQueues } from './room-queues.ts';

export type PduResults = { readonly [eventId: string]: { readonly error?: string } };

export interface InboundTransactions {
  receive(origin: string, txnId: string, pdus: readonly JsonObject[]): Promise<PduResults>;
}

type Dependencies = {
  readonly rooms: FederatedRooms;
  readonly checkPdus: CheckPdus;
  readonly ingest: IngestEvent;
  readonly queues: RoomQueues;
  readonly log: Logger;
};

/** Transactions whose results are remembered. Events themselves are taken once, however often they come. */
const maxRemembered = 1000;

export function createInboundTransactions(deps: Dependencies): InboundTransactions {
  const { rooms, checkPdus, ingest, queues, log } = deps;
  const remembered = new Map<string, Promise<PduResults>>();

  async function ofRoom(origin: string, roomId: string, pdus: readonly JsonObject[]): Promise<PduResults> {
    const room = await rooms.find(roomId, origin);
    if (room === undefined || !room.isOurs) return {};
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
    for (const each of checked) {
      if (each.kind === 'refused') {
        if (each.eventId !== undefined) results[each.eventId] = { error: each.reason };
        continue;
      }
      const { eventId } = each.event;
      try {
        const outcome = await ingest(room, each, origin);
        results[eventId] = outcome.kind === 'rejected' ? { error: outcome.reason } : {};
      } catch (error) {
        log.warn({ error, roomId, eventId, origin }, 'An event of another server could not be received');
        results[eventId] = { error: 'The event could not be processed.' };
      }
    }
    return results;
  }

  async function process(origin: string, pdus: readonly JsonObject[]): Promise<PduResults> {
    const byRoom = new Map<string, JsonObject[]>();
    for (const pdu of pdus) {
      const roomId = isJsonObject(pdu) ? pdu['room_id'] : undefined;
      if (typeof roomId !== 'string') continue;
      const list = byRoom.get(roomId);
      if (list === undefined) byRoom.set(roomId, [pdu]);
      else list.push(pdu);
    }
    const results = await Promise.all(
      [...byRoom].map(([roomId, list]) => queues.run(roomId, () => ofRoom(origin, roomId, list))),
    );
    return Object.assign({}, ...results) as PduResults;
  }

  return {
    receive(origin, txnId, pdus) {
      const key = `${origin} ${txnId}`;
      const known = remembered.get(key);
      if (known !== undefined) return known;
      const result = process(origin, pdus);
      remembered.set(key, result);
      result.catch(() => remembered.delete(key));
      if (remembered.size > maxRemembered) remembered.delete(remembered.keys().next().value ?? key);
      return result;
    },
  };
}
