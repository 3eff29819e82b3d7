import type { ServerName } from '@portico/protocol';
import type { DestinationRow } from '@portico/storage/stores/federation/federation-destinations.ts';
import {
  type OutgoingReceiptRow,
  type OutgoingRow,
  readOutgoing,
  readOutgoingReceipts,
} from '@portico/storage/stores/federation/federation-outgoing.ts';
import { type EduPlace, readQueuedEdus, type StoredEduRow } from '@portico/storage/stores/federation/stored-edus.ts';
import type { Attempt } from './attempt.ts';
import type { OutboxEntry } from './outbox.ts';
import { receiptContents } from './receipt-edus.ts';
import type { SenderDependencies } from './sender-dependencies.ts';
import { eduText, type TransactionParts, transactionId } from './transaction-text.ts';

/** One transaction, and up to where the server has everything once it has arrived. */
export type Transaction = {
  readonly attempt: Attempt;
  readonly parts: TransactionParts;
  readonly stored: readonly EduPlace[];
  readonly entries: readonly OutboxEntry[];
};

/** The next events, and up to where there are no others. */
type Events = { readonly events: OutgoingRow[]; readonly through: number };

/** Up to where a server has everything. */
export type UpTo = Pick<DestinationRow, 'position' | 'receipt_position'>;

/** What one server lacks: known beforehand for one that is up to date, else read. */
export interface Backlog {
  /** Events have been committed, those after a position. */
  offer(events: readonly OutgoingRow[]): void;
  offerReceipts(roomNids: Iterable<number>): void;
  offerStored(): void;
  hasWork(): boolean;
  /** Whether there may be events for a whole transaction. */
  isFull(): boolean;
  /** How many events wait in memory. */
  queued(): number;
  /** Whether there are, or may be, events or receipts that the server has not got. */
  pending(): { readonly events: boolean; readonly receipts: boolean };
  /** The next transaction; or, where there is nothing to send, up to where that is so. */
  next(row: DestinationRow, single: boolean): Promise<Transaction | UpTo>;
  /** The same transaction once more. */
  repeat(row: DestinationRow, attempt: Attempt): Promise<Transaction>;
  delivered(transaction: Transaction): void;
  /** It may lack anything since it was last known to be up to date: that is read. */
  forget(): void;
}

/** "Must not include more than 50 PDUs", "100 EDUs", which stored ones, receipts and what lives in memory share. */
const maxPdus = 50;
const maxEdus = 100;
const maxStored = 50;
const maxStoredCharacters = 1024 * 1024;
const maxReceiptEdus = 25;
const maxReceipts = 100;
/** Events that wait in memory; and positions that are looked through at once for a server that is behind. */
const maxQueued = 100;
const window = 10_000;

type Dependencies = Pick<SenderDependencies, 'db' | 'outbox' | 'serverName' | 'randomId'>;

export function createBacklog(deps: Dependencies, host: ServerName, isUpToDate: boolean): Backlog {
  const { db, outbox, serverName, randomId } = deps;
  let queue: OutgoingRow[] | 'behind' = isUpToDate ? [] : 'behind';
  let offeredMeanwhile = false;
  /** What was read is under way, and waits in no queue. */
  let takenEvents = false;
  let receiptRooms: Set<number> | 'all' = isUpToDate ? new Set() : 'all';
  let takenReceipts = false;
  let mayHaveStored = !isUpToDate;

  async function readEvents(after: number, limit: number): Promise<Events> {
    if (queue !== 'behind') {
      const events = queue.slice(0, limit);
      return { events, through: events.at(-1)?.stream_position ?? after };
    }
    let from = after;
    do {
      offeredMeanwhile = false;
      const upTo = db.currentPosition();
      while (from < upTo) {
        const end = Math.min(upTo, from + window);
        const events = await readOutgoing(db.long, serverName, host, { after: from, upTo: end, limit });
        const last = events.at(-1);
        if (last !== undefined) {
          const isAll = events.length < limit;
          // What is committed from now on is offered.
          if (isAll && end === upTo && !offeredMeanwhile) queue = [];
          takenEvents = true;
          return { events, through: isAll ? end : last.stream_position };
        }
        from = end;
      }
    } while (offeredMeanwhile);
    queue = [];
    return { events: [], through: from };
  }

  async function readReceipts(after: number): Promise<{ rows: OutgoingReceiptRow[]; through: number }> {
    const rooms = receiptRooms;
    if (rooms !== 'all' && rooms.size === 0) return { rows: [], through: after };
    receiptRooms = new Set();
    takenReceipts = true;
    const upTo = db.currentPosition();
    const reader = rooms === 'all' ? db.long : db;
    const read = await readOutgoingReceipts(reader, serverName, host, rooms, { after, upTo, limit: maxReceipts });
    const { taken } = receiptContents(read, maxReceiptEdus);
    const rows = read.slice(0, taken);
    // Of rooms that have not been offered yet there may be older ones.
    const last = rows.at(-1)?.position ?? after;
    if (taken < read.length || read.length === maxReceipts) {
      receiptRooms = 'all';
      return { rows, through: last };
    }
    return { rows, through: rooms === 'all' ? Math.max(upTo, after) : last };
  }

  async function readStored(limit: number): Promise<{ rows: StoredEduRow[]; isAll: boolean }> {
    if (!mayHaveStored) return { rows: [], isAll: true };
    mayHaveStored = false;
    const rows = await readQueuedEdus(db, host, limit);
    let characters = 0;
    const fitting = rows.findIndex((row) => (characters += row.content.length) > maxStoredCharacters);
    const isAll = rows.length < limit && fitting === -1;
    if (!isAll) mayHaveStored = true;
    return { rows: fitting === -1 ? rows : rows.slice(0, Math.max(1, fitting)), isAll };
  }

  /**
   * The next events and stored EDUs. What was committed after messages to devices, or after EDUs that do not fit, waits until they
   * have arrived: they may be the keys to it, and other servers give people both parts of a transaction in any order.
   */
  async function readBoth(after: number, single: boolean): Promise<Events & { readonly stored: StoredEduRow[] }> {
    const isBehind = queue === 'behind';
    const read = await readEvents(after, single ? 1 : maxPdus);
    if (single && read.events.length > 0) return { ...read, stored: [] };
    const { rows: stored, isAll } = await readStored(single ? 1 : maxStored);
    const forDevices = stored.find((row) => row.edu_type === 'm.direct_to_device');
    const bound = Math.min(forDevices?.position ?? Infinity, (isAll ? undefined : stored.at(-1)?.position) ?? Infinity);
    const events = read.events.filter((event) => event.stream_position < bound);
    if (events.length === read.events.length) return { ...read, stored };
    // They are in no queue, and are read again.
    if (isBehind) queue = 'behind';
    return { events, through: events.at(-1)?.stream_position ?? after, stored };
  }

  function assemble(
    attempt: Attempt,
    events: readonly OutgoingRow[],
    stored: readonly StoredEduRow[],
    receipts: readonly OutgoingReceiptRow[],
    withMemory: boolean,
  ): Transaction {
    const { contents } = receiptContents(receipts, maxReceiptEdus);
    const room = maxEdus - stored.length - contents.length;
    const memory = withMemory ? outbox.pack(host, room) : { edus: [], entries: [] };
    const edus = [
      ...stored.map(({ edu_type: type, content }) => eduText(type, content)),
      ...contents.map((content) => eduText('m.receipt', content)),
      ...memory.edus.map(({ type, content }) => eduText(type, content)),
    ];
    return { attempt, parts: { pdus: events.map(({ pdu }) => pdu), edus }, stored, entries: memory.entries };
  }

  return {
    offer(events) {
      if (queue === 'behind') offeredMeanwhile = true;
      else if (queue.length + events.length > maxQueued) queue = 'behind';
      else queue.push(...events);
    },
    offerReceipts(roomNids) {
      if (receiptRooms === 'all') return;
      for (const roomNid of roomNids) receiptRooms.add(roomNid);
      if (receiptRooms.size > maxReceipts) receiptRooms = 'all';
    },
    offerStored: () => void (mayHaveStored = true),
    hasWork: () =>
      queue === 'behind' || queue.length > 0 || receiptRooms === 'all' || receiptRooms.size > 0 || mayHaveStored,
    isFull: () => queue === 'behind' || queue.length >= maxPdus,
    queued: () => (queue === 'behind' ? 0 : queue.length),
    pending: () => ({
      events: takenEvents || queue === 'behind' || queue.length > 0,
      receipts: takenReceipts || receiptRooms === 'all' || receiptRooms.size > 0,
    }),
    async next(row, single) {
      const { events, through, stored } = await readBoth(row.position, single);
      const isFull = single && events.length + stored.length > 0;
      const receipts = isFull ? undefined : await readReceipts(row.receipt_position);
      const rows = receipts?.rows ?? [];
      const bounds = { events: through, receipts: receipts?.through ?? row.receipt_position, stored: stored.at(-1) };
      const attempt = { ...bounds, txnId: transactionId(events, stored, rows) ?? `m${randomId()}` };
      const transaction = assemble(attempt, events, stored, rows, !single);
      const { pdus, edus } = transaction.parts;
      if (pdus.length + edus.length > 0) return transaction;
      takenReceipts = false;
      return { position: bounds.events, receipt_position: bounds.receipts };
    },
    async repeat(row, attempt) {
      const range = (after: number, upTo: number, limit: number) => ({ after, upTo, limit });
      const [events, receipts, stored] = await Promise.all([
        readOutgoing(db.long, serverName, host, range(row.position, attempt.events, maxPdus)),
        readOutgoingReceipts(
          db.long,
          serverName,
          host,
          'all',
          range(row.receipt_position, attempt.receipts, maxReceipts),
        ),
        attempt.stored === undefined ? [] : readQueuedEdus(db, host, maxStored),
      ]);
      const { taken } = receiptContents(receipts, maxReceiptEdus);
      const sent = stored.filter(({ position, seq }) => {
        const last = attempt.stored;
        return last !== undefined && (position < last.position || (position === last.position && seq <= last.seq));
      });
      return assemble(attempt, events, sent, receipts.slice(0, taken), true);
    },
    delivered({ attempt }) {
      if (queue !== 'behind') queue = queue.filter((event) => event.stream_position > attempt.events);
      takenEvents = false;
      takenReceipts = false;
    },
    forget() {
      queue = 'behind';
      takenEvents = false;
      offeredMeanwhile = true;
      receiptRooms = 'all';
      mayHaveStored = true;
    },
  };
}
