import { parentPort, workerData } from 'node:worker_threads';
import { openConnection } from './connection.ts';
import type { ConnectionSettings } from './connection.ts';
import type { FromReader, ToReader } from './long-reader.ts';
import { createStatementCache } from './reader.ts';
import { toInputs } from './values.ts';

const db = openConnection(workerData as ConnectionSettings);
const read = createStatementCache(db);

parentPort?.on('message', ([id, text, params]: ToReader) => {
  let answer: FromReader;
  try {
    const { columns, rows } = read(text, toInputs(params));
    answer = [id, undefined, columns, rows];
  } catch (error) {
    answer = [id, error, [], []];
  }
  parentPort?.postMessage(answer);
});
