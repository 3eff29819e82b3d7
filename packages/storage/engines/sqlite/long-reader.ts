import type { SQLOutputValue } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { Reader } from '../../database.ts';
import { StorageError } from '../../errors.ts';
import type { Sql } from '../../sql.ts';
import type { ConnectionSettings } from './connection.ts';
import { createHandOut } from './hand-out.ts';
import { createMakeRow, type MakeRow } from './values.ts';

export type ToReader = readonly [id: number, text: string, params: readonly unknown[]];
export type FromReader = readonly [
  id: number,
  error: unknown,
  columns: readonly string[],
  rows: readonly (readonly SQLOutputValue[])[],
];

type Waiting = { readonly resolve: (answer: FromReader) => void; readonly reject: (error: unknown) => void };

const maxWaiting = 1000;
const idleMilliseconds = 30_000;

/** A thread for reads that may take long: started by the first one, ended when none came for a while. */
export function createLongReader(settings: ConnectionSettings): {
  readonly reader: Reader;
  readonly close: () => Promise<void>;
} {
  const waiting = new Map<number, Waiting>();
  const makers = new Map<string, MakeRow>();
  let worker: Worker | undefined;
  let idleTimer: NodeJS.Timeout | undefined;
  let lastId = 0;
  let closed = false;

  const makeRowOf = (text: string, columns: readonly string[]): MakeRow => {
    const known = makers.get(text);
    if (known !== undefined) return known;
    const made = createMakeRow(columns);
    makers.set(text, made);
    return made;
  };

  const stop = async () => {
    clearTimeout(idleTimer);
    const stopping = worker;
    worker = undefined;
    await stopping?.terminate();
  };

  const onExit = (exited: Worker, cause: unknown) => {
    if (worker !== exited) return;
    worker = undefined;
    const lost = [...waiting.values()];
    waiting.clear();
    for (const { reject } of lost) reject(new StorageError('unavailable', 'The reader thread ended', { cause }));
  };

  const handOut = createHandOut((answer: FromReader) => {
    const found = waiting.get(answer[0]);
    waiting.delete(answer[0]);
    clearTimeout(idleTimer);
    if (waiting.size === 0) idleTimer = setTimeout(() => void stop(), idleMilliseconds).unref();
    if (answer[1] === undefined) found?.resolve(answer);
    else found?.reject(answer[1]);
  });

  const start = (): Worker => {
    const started = new Worker(new URL('./reader-thread.ts', import.meta.url), { workerData: settings, execArgv: [] });
    started.on('message', (answer: FromReader) => handOut(answer));
    started.on('error', (error) => onExit(started, error));
    started.on('exit', () => onExit(started, undefined));
    return started;
  };

  const ask = (text: string, params: readonly unknown[]): Promise<FromReader> =>
    new Promise((resolve, reject) => {
      if (closed) return reject(new StorageError('unavailable', 'The database is closed'));
      if (waiting.size >= maxWaiting) return reject(new StorageError('overloaded', 'Too many long reads wait'));
      clearTimeout(idleTimer);
      worker ??= start();
      const id = ++lastId;
      waiting.set(id, { resolve, reject });
      worker.postMessage([id, text, params] satisfies ToReader);
    });

  return {
    reader: {
      async all<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params): Promise<Row[]> {
        const [, , columns, rows] = await ask(statement.text, params);
        return rows.map(makeRowOf(statement.text, columns)) as Row[];
      },
      async get<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params) {
        const [, , columns, rows] = await ask(statement.text, params);
        return rows[0] === undefined ? undefined : (makeRowOf(statement.text, columns)(rows[0]) as Row);
      },
    },
    async close() {
      closed = true;
      const lost = [...waiting.values()];
      waiting.clear();
      for (const { reject } of lost) reject(new StorageError('unavailable', 'The database is closed'));
      await stop();
    },
  };
}
