import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mainlinePositions as walk } from '@portico/protocol';
import { createTestDatabase, createEmptyTestDatabase, openFor, temporarySqlite } from '@portico/testkit';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import {
  type PowerLevelsTree as Tree,
  powerLevelsTree,
  storePowerLevels as store,
} from '@portico/testkit/power-levels-tree.ts';
import * as fc from 'fast-check';
import { createWriteSet, type Database, openDatabase, sql } from '../../index.ts';
import { mainlineJumps } from '../../migrations/0038-mainline-jumps.ts';
import { migrations } from '../../migrations/index.ts';
import { eventStatus } from './event-row.ts';
import { addEventOutsideTimeline, addTimelineEvent, type NewEvent } from './events-write.ts';
import { setPlace } from '../rooms/room-import.ts';
import { addPowerLevelsLink, mainlinePositions, storedPowerLevels } from './power-levels-links.ts';

const runs = Number(process.env['PORTICO_PROPERTY_RUNS'] ?? 30);

const selectLinks = sql<Readonly<Record<string, number | null>>>(
  'test.power-levels-links.all',
  'select event_nid, base_nid, depth, jump_nid, jump_depth from power_levels_links order by event_nid',
);

const levels: NewEvent = {
  eventNid: 0,
  eventId: '',
  roomNid: 1,
  status: eventStatus.outlier,
  type: 'm.room.power_levels',
  stateKey: '',
  sender: '@alice:a',
  originServerTs: 0,
  depth: 1,
  before: '',
  content: '{}',
  after: '',
  stateBefore: undefined,
  stateAfter: undefined,
  headState: undefined,
  replacesNid: undefined,
  threadNid: undefined,
  ordinal: 0,
  chain: undefined,
  powerLevelsNid: undefined,
  transaction: undefined,
};

/** Of every event in the mainline of every other one, or of some. */
async function checkPositions(db: Database, bases: Tree, first: number, tips: readonly number[]): Promise<void> {
  const all = bases.map((_, index) => index);
  for (const tip of tips) {
    const rows = await mainlinePositions(
      db,
      first + tip,
      all.map((index) => first + index),
    );
    const found = new Map(rows.map((row) => [row.base_nid - first, row.position]));
    const expected = walk(`${tip}`, all.map(String), (at) => {
      const base = bases[Number(at)];
      return base === undefined ? undefined : `${base}`;
    });
    assert.equal(found.size, all.length);
    for (const index of all) assert.equal(found.get(index), expected.get(`${index}`) ?? null, `${index} from ${tip}`);
  }
}

onBothEngines('the positions found by jumps are those that a walk finds', async (db) => {
  await fc.assert(
    fc.asyncProperty(powerLevelsTree(), fc.nat(), async (bases, tip) => {
      const first = await store(db, bases);
      await checkPositions(db, bases, first, [tip % bases.length, bases.length - 1]);
    }),
    { numRuns: runs, endOnFailure: true },
  );
});

onBothEngines('any power levels of a long chain are found in few steps', async (db) => {
  const length = 5000;
  const first = await store(
    db,
    Array.from({ length }, (_, index) => (index === 0 ? undefined : index - 1)),
  );
  const links = new Map((await db.all(selectLinks, [])).map((row) => [row['event_nid'], row]));
  for (const goal of [0, 1, 777, 2500, length - 2]) {
    let steps = 0;
    for (let at = links.get(first + length - 1); at !== undefined && at['depth'] !== goal; steps++) {
      const { jump_depth: far, jump_nid: jump, base_nid: base } = at;
      at = links.get((far ?? -1) >= goal ? jump : base);
    }
    assert.ok(steps <= 3 * Math.log2(length), `${steps} steps to ${goal}`);
  }
});

onBothEngines('what is not stored, or meets nowhere, has no position', async (db) => {
  const first = await store(db, [undefined, undefined]);
  const rows = await mainlinePositions(db, first, [first, first + 1, 10 ** 9]);
  const sorted = rows.toSorted((a, b) => a.base_nid - b.base_nid);
  assert.deepEqual(sorted, [
    { base_nid: first, position: 0 },
    { base_nid: first + 1, position: null },
  ]);
  assert.deepEqual(await mainlinePositions(db, 10 ** 9, [first]), []);
  assert.deepEqual([...(await storedPowerLevels(db, [first, 10 ** 9]))], [first]);
});

onBothEngines('a link stays as it was written first, and only power levels of the room itself have one', async (db) => {
  const first = await store(db, [undefined, 0]);
  const set = createWriteSet();
  addPowerLevelsLink(set, { ...levels, eventNid: first + 1 });
  addPowerLevelsLink(set, { ...levels, eventNid: first + 2, stateKey: 'x' });
  addPowerLevelsLink(set, { ...levels, eventNid: first + 3, type: 'm.room.name' });
  await db.commit(set);
  const rows = await db.all(selectLinks, []);
  assert.deepEqual(
    rows.map((row) => [row['event_nid'], row['base_nid']]),
    [
      [first, null],
      [first + 1, first],
    ],
  );
});

onBothEngines('what was stored before the events that allow it gets its link with its place', async (db) => {
  const first = await store(db, [undefined, undefined]);
  const known = [2, 3, 4].map((index) => ({ ...levels, eventNid: first + index, eventId: `$${index}` }));
  const bases = async () =>
    (await db.all(selectLinks, [])).map((row) => [row['event_nid'], row['base_nid'], row['depth']]);
  const stored = createWriteSet();
  for (const event of known) addEventOutsideTimeline(stored, event);
  await db.commit(stored);
  const starts = [first, first + 1].map((nid) => [nid, null, 0]);
  assert.deepEqual(await bases(), starts);

  const placed = known.map((event) => {
    const chain = { chain: event.eventNid, seq: 1 };
    return { ...event, isKnown: true, chain, powerLevelsNid: first };
  });
  const [byImport, inTimeline, outside] = placed;
  assert.ok(byImport && inTimeline && outside);
  const set = createWriteSet();
  const position = set.takePosition();
  setPlace(set, byImport, byImport.chain);
  addTimelineEvent(set, { ...inTimeline, status: eventStatus.accepted, stateBefore: 1 }, position);
  addEventOutsideTimeline(set, { ...outside, status: eventStatus.rejected });
  await db.commit(set);
  assert.deepEqual(await bases(), [...starts, ...placed.map(({ eventNid }) => [eventNid, first, 1])]);
});

const before = migrations.filter(({ version }) => version < mainlineJumps.version);
const insertOldEvents = sql<void, [rows: string]>(
  'test.power-levels-links.old-events',
  `insert into events (event_nid, event_id, room_nid, status, type, state_key, sender, origin_server_ts, depth,
     before_content, content, after_content, chain_id, chain_seq, power_levels_nid)
   select cast(value ->> 0 as bigint), '$' || (value ->> 0), 1, 3, 'm.room.power_levels', '', '@a:b', 0, 0, '', '', '',
     cast(value ->> 2 as bigint), 1, cast(value ->> 1 as bigint)
   from json_each(cast($1 as text))`,
);
const insertOldLinks = sql<void, [rows: string]>(
  'test.power-levels-links.old-links',
  `insert into power_levels_links (event_nid, event_id, base_nid)
   select cast(value ->> 0 as bigint), '$' || (value ->> 0), cast(value ->> 1 as bigint) from json_each(cast($1 as text))`,
);

for (const [engine, freshUrl] of [
  ['SQLite', async (context: Parameters<typeof temporarySqlite>[0]) => temporarySqlite(context)],
  ['PostgreSQL', async () => createEmptyTestDatabase()],
] as const) {
  test(`a database of before gets the jumps that it would have had, and the bases that it lacked (${engine})`, async (context) => {
    const length = 3000;
    const [bases = []] = fc.sample(powerLevelsTree(length, length), { numRuns: 1, seed: 5 });
    const url = await freshUrl(context);
    const old = await openDatabase({ url, durability: 'relaxed', migrations: before });
    const set = createWriteSet();
    const rows = bases.map((base, index) => [index + 1, base === undefined ? null : base + 1] as const);
    const unplaced = [length + 1, null, null] as const;
    set.add(insertOldEvents, [JSON.stringify([...rows.map((row) => [...row, row[0]]), unplaced])]);
    // Every tenth was stored before what it is based on, and given its place later.
    const links = rows.map(([nid, base]) => [nid, nid % 10 === 0 ? null : base]);
    set.add(insertOldLinks, [JSON.stringify([...links, unplaced])]);
    await old.commit(set);
    await old.close();
    const migrated = await openFor(context, url);
    const found = await migrated.all(selectLinks, []);
    const fresh = await openFor(context, engine === 'SQLite' ? temporarySqlite(context) : await createTestDatabase());
    const shift = (await store(fresh, bases)) - 1;
    const less = (nid: number | null | undefined) => (nid === null || nid === undefined ? null : nid - shift);
    const expected = (await fresh.all(selectLinks, [])).map((row) => ({
      ...row,
      event_nid: less(row['event_nid']),
      base_nid: less(row['base_nid']),
      jump_nid: less(row['jump_nid']),
    }));
    assert.deepEqual(found, expected);
  });
}
