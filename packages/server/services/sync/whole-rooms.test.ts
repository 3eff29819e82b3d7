import assert from 'node:assert/strict';
import type { Database, Sql } from '@portico/storage';
import { onBothEngines } from '@portico/testkit';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { until } from '@portico/testkit/until.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { createReading } from '../reading/reading.ts';
import { createSync } from './sync.ts';

const people = Array.from({ length: 8 }, (_, index) => `@person-${index}:localhost`);

/** A database on which states of rooms are held back, and that knows for how many. */
function holdStates(db: Database) {
  const held: (() => void)[] = [];
  const all = async <Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params) => {
    if (statement.name === 'current-state.all') await new Promise<void>((resolve) => held.push(resolve));
    return db.all(statement, params);
  };
  return { held, db: { ...db, all } };
}

onBothEngines('whole rooms are read for a few people at a time, and once at a time for each', async (database) => {
  const { held, db } = holdStates(database);
  const { rooms, states } = await openTestRooms(db);
  const roomId = await rooms.create({ userId: people[0] ?? '', deviceId: 'A' }, { preset: 'public_chat' });
  for (const userId of people.slice(1))
    await rooms.join({ userId, deviceId: 'A' }, roomId, { reason: undefined, via: [] });
  const reading = createReading({ db, states, now: Date.now });
  const sync = createSync({ reading, filters: { get: () => Promise.resolve('{}') }, streams: [] });
  const { signal } = new AbortController();
  const request = {
    deviceId: 'A',
    since: undefined,
    filter: undefined,
    timeout: 0,
    stateField: 'state',
    signal,
  } as const;
  const ask = (userId: string) => sync.sync({ ...request, userId, fullState: true });

  const ofOne = Promise.allSettled(Array.from({ length: 40 }, () => ask(people[0] ?? '')));
  await until(() => held.length === 1, 'a state is read');
  const ofOthers = Promise.all(people.slice(1).map(ask));
  await until(() => held.length >= 4, 'states are read for others as well');
  let areAnswered = false;
  const answered = Promise.all([ofOne, ofOthers]).finally(() => (areAnswered = true));
  await until(() => {
    assert.ok(held.length <= 4);
    held.shift()?.();
    return areAnswered;
  }, 'all are answered');
  const [results, texts] = await answered;
  assert.ok(texts.every((text) => text.includes(roomId)));
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  assert.equal(refused.length, 9, 'who asks without end is refused');
  for (const error of refused) assert.ok(error instanceof MatrixError && error.reason === 'request.limit-exceeded');
  sync.close();
});
