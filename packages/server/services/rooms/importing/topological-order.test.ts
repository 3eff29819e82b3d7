import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inAuthOrder } from './topological-order.ts';

const event = (eventId: string, ...authEvents: string[]) => ({ eventId, authEvents });

test('each event comes after its auth events, whatever order they were given in', () => {
  const graph = fc.array(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), { minLength: 1, maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(graph, fc.integer(), (backs, seed) => {
      const events = backs.map((each, index) =>
        event(`$${index}`, ...each.filter((back) => back < index).map((back) => `$${index - 1 - back}`)),
      );
      const given = events.toSorted((a, b) => hash(a.eventId, seed) - hash(b.eventId, seed));
      const ordered = inAuthOrder(given);
      assert.equal(ordered.length, events.length);
      const place = new Map(ordered.map(({ eventId }, index) => [eventId, index]));
      for (const { eventId, authEvents } of ordered) {
        for (const auth of authEvents) assert.ok((place.get(auth) ?? -1) < (place.get(eventId) ?? -1));
      }
    }),
  );
});

test('a circle is left out, and what is not there is not waited for', () => {
  const ordered = inAuthOrder([event('$a', '$b'), event('$b', '$a'), event('$c', '$elsewhere'), event('$d', '$c')]);
  assert.deepEqual(
    ordered.map(({ eventId }) => eventId),
    ['$c', '$d'],
  );
});

test('a chain of 100,000 events is put in order', () => {
  const chain = Array.from({ length: 100_000 }, (_, index) =>
    event(`$${index}`, ...(index > 0 ? [`$${index - 1}`] : [])),
  );
  assert.equal(inAuthOrder(chain.toReversed())[99_999]?.eventId, '$99999');
});

function hash(text: string, seed: number): number {
  let value = seed;
  for (const character of text) value = (value * 31 + (character.codePointAt(0) ?? 0)) | 0;
  return value;
}
