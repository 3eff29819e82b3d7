import { passesEventFilter, passesRooms } from '@portico/protocol/sync-filter/event-filter.ts';
import { readNewestReceipts } from '@portico/storage/stores/receipts.ts';
import { readReceipts, readRoomsReadBy } from '@portico/storage/stores/sync-read.ts';
import { receiptContent } from '../../receipts/receipt-content.ts';
import type { RoomParts, StreamRequest, SyncStream } from '../streams.ts';

const receiptType = 'm.receipt';

/** Who has read up to where; and where the user has read something themselves, their counts anew. */
export function createReceiptStream(): SyncStream {
  async function ownRooms({ reader, userId, since, upTo, allRooms }: StreamRequest): Promise<readonly number[]> {
    if (since === undefined) return [];
    return readRoomsReadBy(reader, userId, [...allRooms().keys()], { after: since, upTo });
  }

  return {
    name: 'receipts',
    kinds: new Map([
      ['receipt', 'room'],
      // A private receipt concerns nobody but its owner.
      ['unread', 'user'],
    ]),
    async read(request) {
      const { reader, since, upTo, rooms, newRooms, userId } = request;
      const own = await ownRooms(request);
      const changed = new Set([...rooms.keys(), ...own].filter((nid) => !newRooms.has(nid) && since !== undefined));
      const rows = [
        ...(await readReceipts(reader, [...changed], { after: since ?? -1, upTo })),
        ...(await readNewestReceipts(reader, userId, [...newRooms], upTo)),
      ];
      const parts = new Map<number, RoomParts>();
      for (const nid of own) parts.set(nid, { recount: true });
      for (const [nid, ofRoom] of Map.groupBy(rows, (row) => row.room_nid)) {
        if (!passes(request, nid)) continue;
        const content = receiptContent(ofRoom, (reader) => reader === userId);
        if (content !== undefined) {
          const ephemeral = [`{"content":${content},"type":"${receiptType}"}`];
          parts.set(nid, { ephemeral, recount: parts.has(nid) });
        }
      }
      return { rooms: parts };
    },
  };
}

function passes({ filter, rooms, allRooms }: StreamRequest, nid: number): boolean {
  const { ephemeral } = filter.room;
  const roomId = rooms.get(nid) ?? allRooms().get(nid) ?? '';
  return passesRooms(ephemeral, roomId) && passesEventFilter(ephemeral, { type: receiptType, sender: undefined });
}
