import type { Client } from 'pg';
import type { Change, CommittedChanges, Database } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { ChangeFeed } from '../change-feed.ts';
import type { StorageLog } from '../options.ts';
import { answerInTime } from './answer-in-time.ts';
import { runBatch, type Step, type StepResult } from './batch.ts';
import { createLink } from './link.ts';
import { sessionSetup } from './support.ts';

type TailRow = { readonly current: number; readonly position: number | null; readonly entries: string | null };

/** One snapshot: every position up to `current` is committed, and its changes are among the rows. */
const readChanges = sql<TailRow, [after: number, limit: number]>(
  'changes.read',
  `select counter.position as current, changes.position as position, changes.entries as entries
   from position_counter counter left join changes on changes.position > $1
   where counter.id = 1
   order by changes.position nulls first
   limit $2`,
);

const pruneChanges = sql<void, [upTo: number]>('changes.prune', 'delete from changes where position <= $1');

const notifyOthers = { name: 'changes.notify', text: 'notify portico_changes' };

/** What a group wrote: how far behind the group's last position each set's changes are, and the changes. */
type Entry = readonly [behind: number, changes: readonly (readonly [kind: string, key: string | number])[]];

export function encodeEntries(batch: readonly CommittedChanges[], end: number): string {
  const entries: Entry[] = batch.map(({ position, changes }) => [
    end - position,
    changes.map(({ kind, key }) => [kind, key] as const),
  ]);
  return JSON.stringify(entries);
}

function decodeEntries(end: number, text: string): CommittedChanges[] {
  return (JSON.parse(text) as Entry[]).map(([behind, changes]) => ({
    position: end - behind,
    changes: changes.map(([kind, key]): Change => ({ kind, key })),
  }));
}

export type ChangeTail = {
  /**
   * This process committed a group that took the positions after `base` up to `end`. Resolves when everything up to `end`
   * was delivered, other processes' changes included.
   */
  readonly committed: (base: number, end: number, batch: readonly CommittedChanges[]) => Promise<void>;
  readonly catchUp: Database['catchUp'];
  readonly close: () => Promise<void>;
};

export type ChangeTailOptions = {
  readonly url: string;
  readonly feed: ChangeFeed;
  readonly log: StorageLog;
  /** In milliseconds: after how long without an answer the connection is given up. */
  readonly answerTimeout?: number | undefined;
};

const statementTimeout = 10_000;
const usualAnswerTimeout = 15_000;
const fallbackMilliseconds = 250;
const pageRows = 1000;
const pruneMilliseconds = 60_000;
/** How many prunings old a row is before it goes, and after how long without an answer rows may have been missed. */
const keptPrunings = 10;
const missedMilliseconds = (keptPrunings / 2) * pruneMilliseconds;

/** Says that anything may have changed: this process was cut off for longer than changes are kept. */
export const everythingChanged: Change = { kind: '*', key: '*' };

/** Reads what any process commits, in order, woken by notifications and, should one be lost, by a timer. */
export async function createChangeTail(options: ChangeTailOptions): Promise<ChangeTail> {
  const { url, feed, log, answerTimeout = usualAnswerTimeout } = options;
  const ask = (client: Client, step: Step): Promise<readonly StepResult[]> =>
    answerInTime(client, answerTimeout, () => runBatch(client, [step]));
  let closed = false;
  let reading = false;
  let again = false;
  let notifying = false;
  let notifyAgain = false;
  let lastAnswer = performance.now();
  let waiters: { readonly position: number; readonly resolve: () => void }[] = [];
  /** Who waits for a read that begins from now on, and for the one that is under way. */
  let askers: (() => void)[] = [];
  let asked: (() => void)[] = [];
  /** Backends of PostgreSQL, other than this process's own one, that have notified. */
  const notifiers = new Set<number>();
  let backend: number | undefined;
  let isShared = false;
  const samples: number[] = [];

  const resolveWaiters = () => {
    if (waiters.length === 0) return;
    const reached = feed.position();
    const ready = waiters.filter(({ position }) => position <= reached);
    waiters = waiters.filter(({ position }) => position > reached);
    for (const { resolve } of ready) resolve();
  };

  const deliver = (rows: readonly TailRow[]) => {
    const from = feed.position();
    const batch: CommittedChanges[] = [];
    if (performance.now() - lastAnswer > missedMilliseconds)
      batch.push({ position: from, changes: [everythingChanged] });
    lastAnswer = performance.now();
    let upTo = rows[0]?.current ?? from;
    for (const { position, entries } of rows) {
      if (position === null || entries === null || position <= from) continue;
      batch.push(...decodeEntries(position, entries));
      if (rows.length === pageRows) upTo = position;
    }
    feed.advance(upTo, batch);
    resolveWaiters();
    if (rows.length < pageRows) return resolveAsked();
    again = true;
    askers = [...asked, ...askers];
    asked = [];
  };

  const resolveAsked = () => {
    const ready = asked;
    asked = [];
    for (const resolve of ready) resolve();
  };

  const wake = async () => {
    again = true;
    if (reading) return;
    reading = true;
    try {
      while (again) {
        again = false;
        const client = link.client();
        if (client === undefined) return;
        asked = askers;
        askers = [];
        const step = { statement: readChanges, params: [feed.position(), pageRows], rows: true };
        const [result] = await ask(client, step);
        deliver((result?.rows ?? []) as unknown as readonly TailRow[]);
      }
    } catch (error) {
      // The timer tries again; a lost connection is made again by the link.
      if (!closed) log('warn', 'Changes could not be read', { error });
    } finally {
      reading = false;
      // What cannot be read now is not waited for.
      asked = [...asked, ...askers];
      askers = [];
      resolveAsked();
    }
  };

  const notify = async () => {
    notifyAgain = true;
    if (notifying) return;
    notifying = true;
    try {
      while (notifyAgain) {
        notifyAgain = false;
        const client = link.client();
        if (client === undefined) return;
        await ask(client, { statement: notifyOthers, params: [], rows: false });
      }
    } catch (error) {
      // A lost notification costs the others a short delay only.
      log('warn', 'Other processes could not be notified', { error });
    } finally {
      notifying = false;
    }
  };

  const prune = async () => {
    samples.push(feed.position());
    if (samples.length <= keptPrunings) return;
    const upTo = samples.shift() ?? 0;
    const client = link.client();
    if (client === undefined) return;
    try {
      await ask(client, { statement: pruneChanges, params: [upTo], rows: false });
    } catch (error) {
      log('warn', 'Old changes could not be deleted', { error });
    }
  };

  /** Whoever is new is answered, so that it hears of this process before that commits anything. */
  const hear = (notifier: number) => {
    if (notifier === backend || notifiers.has(notifier)) return;
    notifiers.add(notifier);
    isShared = true;
    void notify();
  };

  const link = await createLink({
    connect: { url, name: 'portico changes', statementTimeout, setup: sessionSetup },
    log,
    async up(client) {
      client.on('notification', ({ processId }) => {
        hear(processId);
        void wake();
      });
      await client.query('listen portico_changes');
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      backend = rows[0]?.pid;
      setImmediate(() => {
        void notify();
        void wake();
      });
    },
  });
  const fallback = setInterval(() => void wake(), fallbackMilliseconds);
  const pruning = setInterval(() => void prune(), pruneMilliseconds);

  return {
    async committed(base, end, batch) {
      void notify();
      if (feed.position() === base) {
        feed.advance(end, batch);
        resolveWaiters();
        return;
      }
      if (feed.position() >= end) return;
      void wake();
      await new Promise<void>((resolve) => waiters.push({ position: end, resolve }));
    },
    catchUp() {
      if (!isShared) return undefined;
      return new Promise((resolve) => {
        askers.push(resolve);
        void wake();
      });
    },
    async close() {
      closed = true;
      clearInterval(fallback);
      clearInterval(pruning);
      await link.close();
    },
  };
}
