import type { ServerName } from '@portico/protocol';
import type { DestinationRow } from '@portico/storage/stores/federation/federation-destinations.ts';
import type { OutgoingRow } from '@portico/storage/stores/federation/federation-outgoing.ts';
import { deliverTransaction } from '../../../federation-api/transactions.ts';
import { createAlarm } from '../../alarm.ts';
import { FederationError } from '../client/federation-error.ts';
import { formatAttempt, parseAttempt } from './attempt.ts';
import { waitAfter } from './backoff.ts';
import { createBacklog, type Transaction } from './backlog.ts';
import { holdRow, isLost } from './destination-row.ts';
import type { Lane, Lanes } from './lanes.ts';
import { refusedEvents } from './refused-events.ts';
import type { Refusals } from './refusals.ts';
import { type Rests, usualRest } from './rests.ts';
import type { SenderDependencies } from './sender-dependencies.ts';
import { transactionText } from './transaction-text.ts';

export type DestinationState = 'waiting' | 'sending' | 'failing';

/** What is done for one other server: one transaction at a time, and none while it is out of reach. */
export interface Destination {
  /** Events for it have been committed, after a position up to which everything has been offered before. */
  offer(events: readonly OutgoingRow[], after: number): void;
  /** Receipts in these rooms have. They go out after so many milliseconds, or with what goes out before. */
  offerReceipts(roomNids: Iterable<number>, after: number, delay: number): void;
  offerStored(): void;
  /** More than can be offered, or nobody knows what: it is read. */
  offerAnything(): void;
  /** Something waits in the outbox that is urgent. */
  wake(): void;
  heardOf(): void;
  readonly state: DestinationState;
  /** How many events wait in memory. */
  readonly queued: number;
  /** Up to where it has everything; `undefined` where its row says so. */
  readonly settled: number | undefined;
  close(): Promise<void>;
}

/**
 * Why a destination is no longer needed: everything was sent; another process sends to the server; it was forgotten that there
 * is one; or it cannot be reached, and its row says when it is to be asked again.
 */
export type Gone = 'idle' | 'lost' | 'forgotten' | { readonly retryAt: number };

type Options = {
  readonly host: ServerName;
  /** Up to where the server has everything, where this process knows that, since it has been sending to it. */
  readonly upToDate: number | undefined;
  /** Up to where everything was settled when this began, whoever sent it. */
  readonly settled: number;
  readonly lanes: Lanes;
  /** Whether it has never shared a room with this one, and could not be reached. */
  readonly isLost: boolean;
  /** These outlive this: a server that has got everything is soon sent more, and one that refuses something is asked again. */
  readonly needsRest: Rests;
  readonly refusals: Refusals;
  /** The server has taken something, or is one that never takes it. However much waits for it, it is known to be there. */
  readonly onAnswer: () => void;
  readonly onGone: (why: Gone) => void;
};

const retryAfterDefect = 60_000;
const answering = { failures: 0, retry_at: 0, failing_since: 0 };

export function createDestination(deps: SenderDependencies, options: Options): Destination {
  const { client, outbox, serverName, log, now } = deps;
  const { host, upToDate, lanes, refusals, onAnswer, onGone } = options;
  const stopping = new AbortController();
  const backlog = createBacklog(deps, host, upToDate !== undefined);
  const row = holdRow(deps, options, backlog.pending);
  const retry = createAlarm(start);
  const receiptsDue = createAlarm(start);
  const rest = createAlarm(start);
  let isUrgent = false;
  let isHeardOf = false;
  let waitingSince: number | undefined;
  let running: Promise<void> | undefined;
  let isSending = false;

  async function send({ attempt, parts }: Transaction): Promise<void> {
    isSending = true;
    try {
      const body = transactionText(serverName, now(), parts);
      const input = { params: { txnId: attempt.txnId }, body };
      const { pdus } = await client.call(deliverTransaction, host, input, { signal: stopping.signal });
      for (const [eventId, reason] of refusedEvents(pdus, parts.pdus.length))
        log.info({ host, eventId, reason }, 'A server refused an event');
    } finally {
      isSending = false;
    }
  }

  async function acknowledged(known: DestinationRow, transaction: Transaction): Promise<void> {
    const { events, receipts } = transaction.attempt;
    outbox.sent(host, transaction.entries);
    const position = { position: events, receipt_position: receipts };
    await row.write({ ...known, ...position, ...answering, attempt: null }, transaction.stored);
    backlog.delivered(transaction);
    refusals.delivered();
    onAnswer();
    const since = known.failures > 0 ? known.failing_since : waitingSince;
    if (since !== undefined) deps.observeLag?.(now() - since);
    waitingSince = backlog.hasWork() ? now() : undefined;
  }

  /** Leaves the server alone for so many milliseconds; what there is for it is read again then. */
  async function putOff(known: DestinationRow, delay: number, attempt: string | null): Promise<void> {
    outbox.unreachable(host);
    backlog.forget();
    const since = known.failures > 0 ? known.failing_since : now();
    const failures = known.failures + 1;
    await row.write({ ...known, failures, retry_at: now() + delay, failing_since: since, attempt });
  }

  async function failed(known: DestinationRow, transaction: Transaction, error: FederationError): Promise<void> {
    const verdict = refusals.refused(error, transaction);
    if (verdict === 'give-up') {
      log.warn(
        { host, txnId: transaction.attempt.txnId, reason: error.message },
        'A server never takes what it is sent',
      );
      return acknowledged(known, transaction);
    }
    const failures = known.failures + 1;
    const delay = waitAfter(failures, deps.random(), error.refusal?.retryAfter);
    log.info({ host, failures, delay, reason: error.message }, 'A server cannot be reached');
    const attempt = verdict === 'divide' ? null : formatAttempt(transaction.attempt);
    // Said while it did not answer, that counts once.
    if (failures > 1) isHeardOf = false;
    await putOff(known, delay, attempt);
  }

  /**
   * The server is left alone as if it could not be reached, so that it keeps no place from others, and no memory; unless its row
   * cannot be written either.
   */
  async function afterDefect(): Promise<Gone | undefined> {
    const { known } = row;
    if (known === undefined || stopping.signal.aborted) return undefined;
    const delay = waitAfter(known.failures + 1, deps.random(), retryAfterDefect);
    await putOff(known, delay, known.attempt);
    return { retryAt: now() + delay };
  }

  async function whyNoMore(thrown: unknown): Promise<Gone | undefined> {
    if (!isLost(thrown)) return undefined;
    return (await row.isForgotten().catch(() => false)) ? 'forgotten' : 'lost';
  }

  async function step(known: DestinationRow): Promise<void> {
    isUrgent = false;
    const repeated = known.attempt === null ? undefined : parseAttempt(known.attempt);
    const transaction = await (repeated ? backlog.repeat(known, repeated) : backlog.next(known, refusals.isCautious()));
    if (!('attempt' in transaction)) {
      // Nothing is left that would show whether the server answers.
      if (known.failures > 0) await row.write({ ...known, ...transaction, ...answering });
      else row.note(transaction);
      waitingSince = undefined;
      return;
    }
    let current = known;
    // Other servers take an event once, but not every EDU: what was sent is known even after a crash.
    if (transaction.stored.length > 0 && known.attempt === null) {
      current = { ...known, attempt: formatAttempt(transaction.attempt) };
      await row.write(current);
    }
    try {
      await send(transaction);
    } catch (error) {
      if (stopping.signal.aborted) return;
      if (!(error instanceof FederationError)) throw error;
      return failed(current, transaction, error);
    }
    await acknowledged(current, transaction);
    if (options.needsRest(now())) rest.set(deps.restAfter ?? usualRest);
  }

  function isResting(): boolean {
    return rest.isSet && !backlog.isFull();
  }

  function hasWork(): boolean {
    return row.known === undefined || row.known.attempt !== null || isUrgent || backlog.hasWork();
  }

  function laneOf({ failures }: DestinationRow): Lane {
    // What has just said something answers.
    if (failures > 0 && !isHeardOf) return options.isLost ? 'lost' : 'failing';
    return failures === 0 && row.isNew ? 'untried' : 'healthy';
  }

  async function run(): Promise<void> {
    while (hasWork() && !isResting() && !stopping.signal.aborted) {
      const known = row.known ?? (await lanes.run('unknown', () => row.claim()));
      if (known.retry_at > now() && !isHeardOf) return;
      await lanes.run(laneOf(known), async () => {
        isHeardOf = false;
        if (!stopping.signal.aborted) await step(known);
      });
    }
  }

  /** Sends what there is; and says why this is no longer needed, if so. */
  async function work(): Promise<Gone | undefined> {
    try {
      await run();
      const retryAt = row.known?.retry_at ?? 0;
      if (retryAt > now() && !isHeardOf) return { retryAt };
      return hasWork() || receiptsDue.isSet || rest.isSet ? undefined : 'idle';
    } catch (error) {
      const gone = await whyNoMore(error);
      if (gone !== undefined) return gone;
      log.error({ error, host }, 'Sending to a server failed');
      // What was on its way is read again.
      backlog.forget();
      const left = await afterDefect().catch(whyNoMore);
      if (left === undefined) retry.reset(retryAfterDefect);
      return left;
    }
  }

  async function workOnce(): Promise<void> {
    const gone = await work();
    running = undefined;
    if (gone === undefined || (gone === 'idle' && hasWork())) {
      if (hasWork()) start();
    } else if (!stopping.signal.aborted) {
      end();
      onGone(gone);
    }
  }

  function end(): void {
    stopping.abort();
    for (const alarm of [retry, receiptsDue, rest]) alarm.clear();
  }

  function start(): void {
    if (stopping.signal.aborted || retry.isSet || isResting()) return;
    waitingSince ??= now();
    running ??= workOnce();
  }

  return {
    offer(events, after) {
      row.caughtUp('position', after);
      const known = row.known?.position ?? 0;
      backlog.offer(events.filter((event) => event.stream_position > known));
      start();
    },
    offerReceipts(roomNids, after, delay) {
      row.caughtUp('receipt_position', after);
      backlog.offerReceipts(roomNids);
      if (delay <= 0) start();
      else receiptsDue.set(delay);
    },
    offerStored() {
      backlog.offerStored();
      start();
    },
    offerAnything() {
      backlog.forget();
      start();
    },
    wake() {
      isUrgent = true;
      start();
    },
    heardOf() {
      if (running === undefined && row.known !== undefined && !row.isFailing) return;
      isHeardOf = true;
      start();
    },
    get state() {
      if (isSending) return 'sending';
      return row.isFailing ? 'failing' : 'waiting';
    },
    get queued() {
      return backlog.queued();
    },
    get settled() {
      return row.settled;
    },
    async close() {
      end();
      await running;
    },
  };
}
