import { parentPort, workerData } from 'node:worker_threads';
import { openConnection } from './connection.ts';
import type { ConnectionSettings } from './connection.ts';
import type { FromReader, ToReader } from './long-reader.ts';
import { createStatementCache, rowsOf } from './reader.ts';

const db = openConnection(workerData as ConnectionSettings);
const prepare = createStatementCache(db);

parentPort?.on('message', ([id, text, params]: ToReader) => {
  let answer: FromReader;
  try {
    const prepared = prepare(text);
    answer = [id, undefined, prepared.columns, rowsOf(prepared, params)];
  } catch (error) {
    answer = [id, error, [], []];
  }
  parentPort?.postMessage(answer);
});
