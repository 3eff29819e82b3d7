import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createParkedHosts } from './parked-hosts.ts';

const most = 4;
const host = fc.integer({ min: 0, max: 7 }).map((n) => `host${n}`);
const step = fc.oneof(
  fc.record({ kind: fc.constant('park' as const), host }),
  fc.record({ kind: fc.constant('unpark' as const), host }),
  fc.record({ kind: fc.constant('begin' as const) }),
  // Rows are read at one moment, and known of at a later one.
  fc.record({ kind: fc.constant('ask' as const) }),
  fc.record({ kind: fc.constant('answer' as const) }),
);

test('whoever is parked is known to be, or may be; nobody is taken for parked who is not, and there are never too many', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const hosts = createParkedHosts(most);
      const rows = new Set<string>();
      let isReading = false;
      let asked: string[] | undefined;
      for (const each of steps) {
        if (each.kind === 'park') {
          rows.add(each.host);
          hosts.add(each.host);
        } else if (each.kind === 'unpark') {
          rows.delete(each.host);
          hosts.delete(each.host);
        } else if (each.kind === 'begin') {
          hosts.beginReading();
          [isReading, asked] = [true, undefined];
        } else if (each.kind === 'ask') {
          if (isReading) asked = [...rows];
        } else if (asked !== undefined) {
          hosts.read(asked);
          hosts.endReading(true);
          [isReading, asked] = [false, undefined];
        }
        assert.ok(hosts.size <= most);
        for (let n = 0; n < 8; n++) {
          const name = `host${n}`;
          if (rows.has(name)) assert.ok(hosts.mayHave(name), `${name} may be parked`);
          else assert.equal(hosts.has(name), false, `${name} is not parked`);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('once all were read and there was room, others are not parked', () => {
  const hosts = createParkedHosts(2);
  assert.equal(hosts.mayHave('x'), true);
  hosts.beginReading();
  hosts.read(['a']);
  hosts.endReading(true);
  assert.deepEqual([hosts.mayHave('a'), hosts.mayHave('x')], [true, false]);
  hosts.add('b');
  hosts.add('c');
  assert.deepEqual([hosts.mayHave('x'), hosts.isFull, hosts.size], [true, true, 2]);
});
