import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createParking } from './parking.ts';

test('an item leaves when all that it misses has arrived', () => {
  const parking = createParking<string>();
  parking.park('c', ['$a', '$b']);
  parking.park('d', ['$c']);
  assert.deepEqual(parking.arrived('$a'), []);
  assert.ok(parking.has('c'));
  assert.deepEqual(parking.waitingFor('$b'), ['c']);
  assert.deepEqual(parking.arrived('$b'), ['c']);
  assert.ok(!parking.has('c'));
  assert.deepEqual(parking.arrived('$c'), ['d']);
  assert.equal(parking.size, 0);
});

test('an item that was taken away does not come back', () => {
  const parking = createParking<string>();
  parking.park('b', ['$a']);
  parking.park('c', ['$a']);
  parking.leave('b');
  parking.leave('b');
  assert.equal(parking.size, 1);
  assert.deepEqual(parking.arrived('$a'), ['c']);
});
