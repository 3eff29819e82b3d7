import { parentPort, workerData } from 'node:worker_threads';
import { createFailpoints } from '../failpoints.ts';
import { createCheckpoints } from './checkpoints.ts';
import { openConnection } from './connection.ts';
import { createGroupRunner } from './group-runner.ts';
import type { FromWriter, ToWriter, WriterSettings } from './protocol.ts';

const { connection, failpoint } = workerData as WriterSettings;
const failpoints = createFailpoints(failpoint);
const db = openConnection(connection);
const runner = createGroupRunner(db, failpoints);
const send = (message: FromWriter) => parentPort?.postMessage(message);
const checkpoints = createCheckpoints(db, {
  failpoints,
  done: (pages, took) => send(['checkpoint', pages, took]),
  failed: (error) => send(['checkpoint-failed', error]),
});

parentPort?.on('message', (message: ToWriter) => {
  if (message === 'close') {
    checkpoints.stop();
    db.close();
    send(['closed']);
    parentPort?.close();
    return;
  }
  runner.define(message[0]);
  send(runner.run(message[1]));
  checkpoints.afterGroup();
});
send(['ready', runner.position()]);
