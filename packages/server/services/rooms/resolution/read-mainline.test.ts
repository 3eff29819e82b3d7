import assert from 'node:assert/strict';
import { mainlinePositions, type RoomEvent } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { type PowerLevelsTree, powerLevelsTree, storePowerLevels } from '@portico/testkit/power-levels-tree.ts';
import * as fc from 'fast-check';
import { readMainline } from './read-mainline.ts';

function powerLevels(eventId: string, authEvents: readonly string[]): RoomEvent {
  return {
    eventId,
    roomId: '!room',
    type: 'm.room.power_levels',
    sender: '@alice:a',
    stateKey: '',
    content: {},
    originServerTs: 0,
    depth: 1,
    prevEvents: [],
    authEvents,
    redacts: undefined,
    rejected: false,
  };
}

/** Loaded are those that are asked about, and what is not stored with what it names. */
async function check(db: Database, tree: PowerLevelsTree, recent: number, asked: readonly number[]): Promise<void> {
  const [tip = 0, ...others] = asked.map((place) => place % tree.length);
  const stored = Math.max(tree.length - recent, 0);
  const first = await storePowerLevels(db, tree, stored);
  const authEvents = (place: number) => (tree[place] === undefined ? [] : [`${tree[place]}`]);
  const loaded = new Set([tip, ...others].map(String));
  for (let place = stored; place < tree.length; place++) {
    for (const eventId of [`${place}`, ...authEvents(place)]) loaded.add(eventId);
  }
  const find = (eventId: string) =>
    loaded.has(eventId) ? powerLevels(eventId, authEvents(Number(eventId))) : undefined;
  const nidOf = (eventId: string) => {
    assert.ok(loaded.has(eventId), `${eventId} is loaded`);
    return first + Number(eventId);
  };
  const bases = [...new Set(others.map(String))];
  const found = await readMainline(db, { find, nidOf }, `${tip}`, bases);
  const expected = mainlinePositions(`${tip}`, bases, (at) => authEvents(Number(at))[0]);
  for (const base of bases) assert.equal(found.get(base), expected.get(base), `${base} from ${tip}`);
}

onBothEngines(
  'positions are those of the walk, whether all power levels are stored or the latest are not',
  async (db) => {
    const asked = fc.array(fc.nat(), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(powerLevelsTree(), fc.nat({ max: 12 }), asked, (tree, recent, places) =>
        check(db, tree, recent, places),
      ),
      { numRuns: Number(process.env['PORTICO_PROPERTY_RUNS'] ?? 60), endOnFailure: true },
    );
  },
);
