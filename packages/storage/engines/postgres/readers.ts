import type pg from 'pg';
import type { Reader } from '../../database.ts';
import { StorageError } from '../../errors.ts';
import type { Sql, SqlValue } from '../../sql.ts';
import type { StorageLog } from '../options.ts';
import { BatchError, runBatch } from './batch.ts';
import type { Step, StepResult } from './batch.ts';
import { wholeFailure } from './failure.ts';
import { createLink } from './link.ts';
import type { Link } from './link.ts';
import { sessionSetup } from './support.ts';

type Waiting = Step & { readonly resolve: (result: StepResult) => void; readonly reject: (error: unknown) => void };

export type ReaderPool = { readonly reader: Reader; readonly close: () => Promise<void> };

export type ReaderPoolOptions = {
  readonly url: string;
  readonly name: string;
  readonly connections: number;
  /** Milliseconds that one statement may take. */
  readonly timeout: number;
  readonly log: StorageLog;
};

const maxWaiting = 10_000;
const maxBatch = 16;
/** How much longer than the server's own timeout an answer may take before the connection is given up. */
const grace = 2000;

/**
 * A few connections for reads. A read goes out at once where a connection is free; otherwise reads gather and go
 * together. While no connection is there, reads fail at once.
 */
export async function createReaderPool(options: ReaderPoolOptions): Promise<ReaderPool> {
  let waiting: Waiting[] = [];
  let links: readonly Link[] = [];
  const busy = new Set<pg.Client>();

  const failAll = (reads: readonly Waiting[], cause: unknown) => {
    for (const { reject } of reads)
      reject(new StorageError('unavailable', 'The database cannot be reached', { cause }));
  };

  const settleFailed = (reads: readonly Waiting[], error: BatchError) => {
    reads.slice(0, error.step).forEach(({ resolve }, index) => resolve(error.results[index] as StepResult));
    const failed = reads.slice(error.step);
    const reason = wholeFailure(error.cause);
    const culprit = failed.shift();
    if (reason === undefined) culprit?.reject(error.cause);
    else culprit?.reject(new StorageError(reason, error.message, { cause: error.cause }));
    waiting = [...failed, ...waiting];
  };

  const send = async (link: Link, client: pg.Client, reads: readonly Waiting[]) => {
    busy.add(client);
    const timer = setTimeout(() => link.drop(client), options.timeout + grace);
    try {
      const results = await runBatch(client, reads);
      reads.forEach(({ resolve }, index) => resolve(results[index] as StepResult));
    } catch (error) {
      if (link.client() === client && error instanceof BatchError) settleFailed(reads, error);
      else failAll(reads, error);
    } finally {
      clearTimeout(timer);
      busy.delete(client);
      pump();
    }
  };

  const pump = () => {
    if (waiting.length === 0) return;
    let alive = 0;
    for (const link of links) {
      const client = link.client();
      if (client === undefined) continue;
      alive++;
      if (busy.has(client)) continue;
      const reads = waiting.splice(0, maxBatch);
      void send(link, client, reads);
      if (waiting.length === 0) return;
    }
    if (alive === 0) failAll(waiting.splice(0), undefined);
  };

  links = await Promise.all(
    Array.from({ length: options.connections }, () =>
      createLink({
        connect: { url: options.url, name: options.name, statementTimeout: options.timeout, setup: sessionSetup },
        log: options.log,
        down: () => pump(),
      }),
    ),
  );

  const read = (statement: Sql<unknown, never>, params: readonly unknown[]): Promise<StepResult> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= maxWaiting) {
        reject(new StorageError('overloaded', 'Too many reads wait for the database'));
        return;
      }
      waiting.push({ statement, params: params as readonly SqlValue[], rows: true, resolve, reject });
      pump();
    });

  return {
    reader: {
      async all<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params): Promise<Row[]> {
        return (await read(statement, params)).rows as Row[];
      },
      async get<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params) {
        return (await read(statement, params)).rows[0] as Row | undefined;
      },
    },
    async close() {
      await Promise.all(links.map((link) => link.close()));
      failAll(waiting.splice(0), undefined);
    },
  };
}
