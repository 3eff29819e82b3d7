import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { mainlinePositions } from './mainline.ts';

type Links = ReadonlyMap<string, string>;

/** Where the text says a base stands: the whole mainline first, then each walk to its end. */
function literally(tip: string, base: string, links: Links): number | undefined {
  const mainline: string[] = [];
  for (let at: string | undefined = tip; at !== undefined; at = links.get(at)) mainline.push(at);
  for (let at: string | undefined = base; at !== undefined; at = links.get(at)) {
    if (mainline.includes(at)) return mainline.indexOf(at);
  }
  return undefined;
}

test('a position is that of the first common event', () => {
  const forest = fc.array(fc.option(fc.nat({ max: 30 }), { nil: undefined }), { minLength: 1, maxLength: 30 });
  const place = fc.nat({ max: 29 });
  fc.assert(
    fc.property(forest, place, fc.array(place, { maxLength: 6 }), (parents, tip, bases) => {
      // Each event is based on one before it, or on none.
      const links: Links = new Map<string, string>(
        parents.flatMap((parent, index) =>
          parent === undefined || index === 0 ? [] : [[`${index}`, `${parent % index}`] as const],
        ),
      );
      const positions = mainlinePositions(`${tip}`, new Set(bases.map((base) => `${base}`)), (at: string) =>
        links.get(at),
      );
      for (const base of bases.map((number) => `${number}`))
        assert.equal(positions.get(base), literally(`${tip}`, base, links));
    }),
    { numRuns: 2000 },
  );
});

test('power levels that have none in common have no position', () => {
  assert.deepEqual([...mainlinePositions('P', ['Q'], () => undefined)], []);
});

test('the cost follows the distance to where the chains meet, not their length', () => {
  const asked = new Set<string>();
  const earlier = (at: string): string => {
    asked.add(at);
    return `${Number(at) - 1}`;
  };
  assert.equal(mainlinePositions('1000000', ['999990'], earlier).get('999990'), 10);
  assert.ok(asked.size <= 30, `${asked.size} events looked at`);
});

test('levels that go round in a circle, as IDs of the senders’ choice may, come to an end', () => {
  const circle = new Map([
    ['a', 'b'],
    ['b', 'a'],
    ['c', 'd'],
    ['d', 'c'],
  ]);
  const positions = mainlinePositions('a', ['c', 'b'], (at) => circle.get(at));
  assert.deepEqual([...positions.keys()], ['b']);
});
