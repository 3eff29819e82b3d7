import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** The thread of the bare server that writes: takes the oldest key of each device that a claim names, and commits. */
const database = new DatabaseSync(join(workerData as string, 'keys.db'));
database.exec(`
  pragma journal_mode = wal;
  pragma synchronous = full;
  create table keys (device integer, position integer, key text, primary key (device, position)) without rowid, strict;
  begin`);
const insert = database.prepare('insert into keys values (?, ?, ?)');
for (let device = 0; device < 20; device++) {
  for (let position = 0; position < 500; position++)
    insert.run(device, position, JSON.stringify({ key: 'k'.repeat(200) }));
}
database.exec('commit');

const take = database.prepare(
  `delete from keys where device = ?1 and position = (select min(position) from keys where device = ?1) returning key`,
);

parentPort?.on('message', (text: string) => {
  const { one_time_keys: wanted } = JSON.parse(text) as { one_time_keys: object };
  database.exec('begin immediate');
  const taken = Object.keys(wanted).map((userId, device) => [userId, take.get(device)?.['key']]);
  database.exec('commit');
  parentPort?.postMessage(JSON.stringify({ one_time_keys: Object.fromEntries(taken) as object }));
});
