import type { Reader } from '@portico/storage';
import { readReceipts, type ReceiptRow } from '@portico/storage/stores/sync/sync-read.ts';
import { receiptContent } from './receipt-content.ts';

/** The receipts that were set or moved in a room between two positions. */
export type RoomReceipts = {
  /** The content of an `m.receipt` event for one reader, as JSON text; `undefined` if there is nothing for them. */
  contentFor(userId: string): string | undefined;
};

type Range = { readonly after: number; readonly upTo: number };

export interface SharedReceipts {
  /** By number, of those rooms that have any. What everybody in a room is told of is read and written once. */
  find(reader: Reader, nids: readonly number[], range: Range): Promise<ReadonlyMap<number, RoomReceipts>>;
}

type Entry = Promise<readonly [nid: number, RoomReceipts | undefined]>;

/** So many receipts of one room are more than one change brings: somebody comes back after a while, alone. */
const mostKeptRows = 50;

export function createSharedReceipts({ maxEntries = 1000 }: { readonly maxEntries?: number } = {}): SharedReceipts {
  const entries = new Map<string, Entry>();

  function keep(key: string, entry: Entry): void {
    entries.set(key, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries) break;
      entries.delete(oldest);
    }
  }

  /** Forgets entries whose rows could not be read, or are many. */
  async function weigh(key: string, entry: Entry, rows: Promise<readonly ReceiptRow[]>): Promise<void> {
    const isKept = await rows.then(
      ({ length }) => length <= mostKeptRows,
      () => false,
    );
    if (!isKept && entries.get(key) === entry) entries.delete(key);
  }

  return {
    async find(reader, nids, range) {
      const wanted: Entry[] = [];
      const missing: { readonly key: string; readonly nid: number }[] = [];
      for (const nid of nids) {
        const key = `${nid} ${range.after} ${range.upTo}`;
        const entry = entries.get(key);
        if (entry === undefined) missing.push({ key, nid });
        else wanted.push(entry);
      }
      if (missing.length > 0) {
        const reading = readByRoom(
          reader,
          missing.map(({ nid }) => nid),
          range,
        );
        for (const { key, nid } of missing) {
          const rows = reading.then((byRoom) => byRoom.get(nid) ?? []);
          const entry: Entry = rows.then((found) => [nid, found.length === 0 ? undefined : shareable(found)]);
          wanted.push(entry);
          keep(key, entry);
          void weigh(key, entry, rows);
        }
      }
      const found = new Map<number, RoomReceipts>();
      for (const [nid, receipts] of await Promise.all(wanted)) if (receipts !== undefined) found.set(nid, receipts);
      return found;
    },
  };
}

async function readByRoom(reader: Reader, nids: readonly number[], range: Range) {
  return Map.groupBy(await readReceipts(reader, nids, range), (row) => row.room_nid);
}

/** Those who have a private receipt among them get a text of their own, all others the same one. */
function shareable(rows: readonly ReceiptRow[]): RoomReceipts {
  const owners = new Set(rows.filter((row) => row.receipt_type !== 'm.read').map((row) => row.user_id));
  let shared: { readonly text: string | undefined } | undefined;
  return {
    contentFor(userId) {
      if (owners.has(userId)) return receiptContent(rows, (owner) => owner === userId);
      shared ??= { text: receiptContent(rows, () => false) };
      return shared.text;
    },
  };
}
