import { createWriteSet, type Database } from '@portico/storage';
import { addPowerLevelsLink } from '@portico/storage/stores/events/power-levels-links.ts';
import * as fc from 'fast-check';

/** Power levels, each by the place of its base among those before it, if it has one. */
export type PowerLevelsTree = readonly (number | undefined)[];

/** Mostly lines, as rooms have them, with branches anywhere and a few other starts. */
export function powerLevelsTree(minLength = 1, maxLength = 120): fc.Arbitrary<PowerLevelsTree> {
  return fc.array(fc.tuple(fc.nat({ max: 19 }), fc.nat({ max: 1e6 })), { minLength, maxLength }).map((choices) =>
    choices.map(([kind, place], index) => {
      if (index === 0 || kind === 0) return undefined;
      return kind < 16 ? index - 1 : place % index;
    }),
  );
}

/** Stores links of the first of them, under numbers in a row, and answers with the first number. */
export async function storePowerLevels(db: Database, tree: PowerLevelsTree, stored = tree.length): Promise<number> {
  const first = await db.reserveIds('event', tree.length);
  for (let start = 0; start < stored; start += 1000) {
    const set = createWriteSet();
    for (const [index, base] of tree.slice(start, Math.min(start + 1000, stored)).entries()) {
      const powerLevelsNid = base === undefined ? undefined : first + base;
      const eventNid = first + start + index;
      addPowerLevelsLink(set, { eventNid, type: 'm.room.power_levels', stateKey: '', powerLevelsNid });
    }
    await db.commit(set);
  }
  return first;
}
