import type { ServerName } from '@portico/protocol';
import { createWriteSet } from '@portico/storage';
import {
  type DestinationRow,
  findDestination,
  readOutgoing,
  setDestination,
} from '@portico/storage/stores/federation-sending.ts';
import { sendTransaction } from '../../../federation-api/transactions.ts';
import { CanonicalText } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import type { SenderDependencies } from './sender-dependencies.ts';

/** What is done for one other server: one transaction at a time, and none while it is out of reach. */
export interface Destination {
  wake(): void;
  heardOf(): void;
  close(): Promise<void>;
}

/** "limited to 50 PDUs" */
const perTransaction = 50;
const shortestWait = 1000;
const longestWait = 60 * 60_000;

export function createDestination(
  { db, client, serverName, log, now }: SenderDependencies,
  host: ServerName,
  onIdle: () => void,
): Destination {
  const stopping = new AbortController();
  let row: DestinationRow | undefined;
  let isWoken = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function keep(next: DestinationRow): Promise<void> {
    const set = createWriteSet();
    setDestination(set, next);
    await db.commit(set);
    row = next;
  }

  async function send(known: DestinationRow): Promise<'more' | 'done'> {
    const upTo = db.currentPosition();
    const events = await readOutgoing(db, serverName, host, { after: known.position, upTo, limit: perTransaction });
    const [first, last] = [events[0], events.at(-1)];
    if (first === undefined || last === undefined) {
      row = { ...known, position: Math.max(known.position, upTo) };
      return 'done';
    }
    // The same events have the same ID, also after a crash: the other server then knows them already.
    const txnId = `${first.stream_position}-${last.stream_position}-${events.length}`;
    const pdus = events.map(({ pdu }) => pdu).join(',');
    const body = new CanonicalText(
      `{"edus":[],"origin":${JSON.stringify(serverName)},"origin_server_ts":${now()},"pdus":[${pdus}]}`,
    );
    const { pdus: results } = await client.call(
      sendTransaction,
      host,
      { params: { txnId }, body },
      { signal: stopping.signal },
    );
    for (const [eventId, { error }] of Object.entries(results)) {
      if (error !== undefined) log.info({ host, eventId, reason: error.slice(0, 500) }, 'A server refused an event');
    }
    await keep({ host, position: last.stream_position, failures: 0, retry_at: 0 });
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
