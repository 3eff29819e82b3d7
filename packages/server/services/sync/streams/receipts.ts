import { passesEventFilter, passesRooms } from '@portico/protocol/sync-filter/event-filter.ts';
import { readNewestReceipts } from '@portico/storage/stores/unread/receipts.ts';
import { readRoomsReadBy } from '@portico/storage/stores/sync/sync-read.ts';
import { receiptContent } from '../../receipts/receipt-content.ts';
import { createSharedReceipts } from '../../receipts/shared-receipts.ts';
import type { RoomParts, StreamRequest, SyncStream } from '../streams.ts';

const receiptType = 'm.receipt';

/** Who has read up to where; and where the user has read something themselves, their counts anew. */
export function createReceiptStream(): SyncStream {
  const shared = createSharedReceipts();

  async function ownRooms(request: StreamRequest): Promise<readonly number[]> {
    const { reader, userId, since, upTo, allRooms, mayConcernUser } = request;
    if (since === undefined || !mayConcernUser) return [];
    return readRoomsReadBy(reader, userId, [...allRooms().keys()], { after: since, upTo });
  }

  return {
    name: 'receipts',
    isEphemeral: true,
    kinds: new Map([
      ['receipt', 'room'],
      // A private receipt concerns nobody but its owner.
      ['unread', 'user'],
    ]),
    async read(request) {
      const { reader, since, upTo, rooms, newRooms, userId } = request;
      const own = await ownRooms(request);
      const parts = new Map<number, RoomParts>();
      for (const nid of own) parts.set(nid, { recount: true });
      const add = (nid: number, content: string | undefined) => {
        if (content === undefined || !passes(request, nid)) return;
        const ephemeral = [`{"content":${content},"type":"${receiptType}"}`];
        parts.set(nid, { ephemeral, recount: parts.has(nid) });
      };
      const changed = new Set([...rooms.keys(), ...own].filter((nid) => !newRooms.has(nid) && since !== undefined));
      const moved = await shared.find(reader, [...changed], { after: since ?? -1, upTo });
      for (const [nid, receipts] of moved) add(nid, receipts.contentFor(userId));
      const newest = await readNewestReceipts(reader, userId, [...newRooms], upTo);
      for (const [nid, rows] of Map.groupBy(newest, (row) => row.room_nid)) {
        add(
          nid,
          receiptContent(rows, (owner) => owner === userId),
        );
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
