import type { ServerName } from '@portico/protocol';
import { createWriteSet } from '@portico/storage';
import {
  type DestinationRow,
  findDestination,
  readOutgoing,
  setDestination,
} from '@portico/storage/stores/federation-sending.ts';
import { dropDeliveredEdus, readQueuedEdus, type StoredEduRow } from '@portico/storage/stores/stored-edus.ts';
import { sendTransaction } from '../../../federation-api/transactions.ts';
import { FederationError } from '../client/federation-error.ts';
import type { SenderDependencies } from './sender-dependencies.ts';
import { transactionId, transactionText } from './transaction-text.ts';

/** What is done for one other server: one transaction at a time, and none while it is out of reach. */
export interface Destination {
  wake(): void;
  /** There may be stored EDUs for it. */
  wakeForEdus(): void;
  heardOf(): void;
  close(): Promise<void>;
}

/** "Must not include more than 50 PDUs" and "100 EDUs", of which some are left to what lives in memory. */
const maxPdus = 50;
const maxEdus = 100;
const maxStored = 60;
const shortestWait = 1000;
const longestWait = 60 * 60_000;

export function createDestination(
  { db, client, outbox, serverName, log, now, randomId }: SenderDependencies,
  host: ServerName,
  onIdle: () => void,
): Destination {
  const stopping = new AbortController();
  let row: DestinationRow | undefined;
  let isWoken = false;
  let mayHaveStored = true;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function keep(next: DestinationRow, delivered: readonly StoredEduRow[] = []): Promise<void> {
    const set = createWriteSet();
    setDestination(set, next);
    dropDeliveredEdus(set, host, delivered);
    await db.commit(set);
    row = next;
  }

  async function readStored(): Promise<readonly StoredEduRow[]> {
    if (!mayHaveStored) return [];
    mayHaveStored = false;
    const stored = await readQueuedEdus(db, host, maxStored);
    if (stored.length > 0) mayHaveStored = true;
    return stored;
  }

  async function send(known: DestinationRow): Promise<'more' | 'done'> {
    const upTo = db.currentPosition();
    const events = await readOutgoing(db, serverName, host, { after: known.position, upTo, limit: maxPdus });
    const stored = await readStored();
    const memory = outbox.pack(host, maxEdus - stored.length);
    const position = events.at(-1)?.stream_position ?? Math.max(known.position, upTo);
    if (events.length + stored.length + memory.edus.length === 0) {
      row = { ...known, position };
      return 'done';
    }
    const body = transactionText(serverName, now(), events, stored, memory.edus);
    const { pdus: results } = await client.call(
      sendTransaction,
      host,
      { params: { txnId: transactionId(events, stored) ?? `m${randomId()}` }, body },
      { signal: stopping.signal },
    );
    for (const [eventId, { error }] of Object.entries(results)) {
      if (error !== undefined) log.info({ host, eventId, reason: error.slice(0, 500) }, 'A server refused an event');
    }
    outbox.sent(host, memory.entries);
    await keep({ host, position, failures: 0, retry_at: 0 }, stored);
    return 'more';
  }

  async function run(): Promise<void> {
    row ??= (await findDestination(db, host)) ?? { host, position: 0, failures: 0, retry_at: 0 };
    while (isWoken && !stopping.signal.aborted) {
      const wait = row.retry_at - now();
      if (wait > 0) return retryIn(wait);
      isWoken = false;
      try {
        if ((await send(row)) === 'more') isWoken = true;
      } catch (error) {
        isWoken = true;
        if (stopping.signal.aborted) return;
        if (!(error instanceof FederationError)) throw error;
        outbox.unreachable(host);
        const failures = row.failures + 1;
        const delay = Math.min(shortestWait * 2 ** Math.min(failures - 1, 20), longestWait);
        log.info({ host, failures, delay, reason: error.message }, 'A server cannot be reached');
        await keep({ ...row, failures, retry_at: now() + delay });
      }
    }
  }

  function retryIn(milliseconds: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      start();
    }, milliseconds);
    timer.unref();
  }

  function start(): void {
    if (stopping.signal.aborted) return;
    running ??= run()
      .catch((error: unknown) => {
        log.error({ error, host }, 'Sending events failed');
        retryIn(longestWait / 60);
      })
      .finally(() => {
        running = undefined;
        if (isWoken && timer === undefined) start();
        else if (!isWoken && row?.failures === 0) onIdle();
      });
  }

  return {
    wake() {
      isWoken = true;
      if (timer === undefined) start();
    },
    wakeForEdus() {
      mayHaveStored = true;
      isWoken = true;
      if (timer === undefined) start();
    },
    heardOf() {
      if (row === undefined || row.failures === 0) return;
      row = { ...row, retry_at: 0 };
      clearTimeout(timer);
      timer = undefined;
      isWoken = true;
      start();
    },
    async close() {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
