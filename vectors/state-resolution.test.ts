import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entriesOf, resolveStates } from '@portico/protocol';
import { slowResolve } from '@portico/testkit/slow-resolution.ts';
import { readStateCases } from './state-cases.ts';

for (const { name, rules, events, states, resolved } of readStateCases()) {
  for (const [kind, resolve] of Object.entries({ resolution: resolveStates, 'slow resolution': slowResolve })) {
    test(`${kind}: ${name}`, () => {
      const result = resolve(rules, states, (eventId) => events.get(eventId));
      const eventIds = [...entriesOf(result)].map(([, , eventId]) => eventId);
      assert.deepEqual(eventIds.toSorted(), resolved.toSorted());
    });
  }
}
