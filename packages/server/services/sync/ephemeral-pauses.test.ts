import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';
import fc from 'fast-check';
import { createEphemeralPauses, ephemeralPause, type Pausing } from './ephemeral-pauses.ts';

function start() {
  const virtual = createVirtualClock();
  let back = 0;
  const setBack = (milliseconds: number) => void (back += milliseconds);
  const clock = { ...virtual, now: () => virtual.now() - back, setBack };
  const wakes = new Map<Pausing, number[]>();
  const pauses = createEphemeralPauses<Pausing>({
    ...clock,
    wake: (user) => void wakes.set(user, [...(wakes.get(user) ?? []), clock.now()]),
    isWaking: () => false,
  });
  const person = (): Pausing => ({ pausedUntil: 0 });
  return { clock, pauses, person, wakesOf: (user: Pausing) => wakes.get(user) ?? [] };
}

test('the first is told at once, what follows together, and after a silence the next at once again', () => {
  const { clock, pauses, person, wakesOf } = start();
  const [alice, bob] = [person(), person()];
  const began = clock.now();
  pauses.tell(alice);
  clock.pass(100);
  pauses.tell(alice);
  assert.equal(pauses.isDue(alice), false);
  pauses.tell(bob);
  assert.equal(pauses.isDue(bob), true);
  clock.pass(100);
  pauses.tell(alice);
  clock.pass(ephemeralPause);
  assert.equal(pauses.isDue(alice), true);
  clock.pass(10 * ephemeralPause);
  pauses.tell(alice);
  assert.deepEqual(
    wakesOf(alice).map((at) => at - began),
    [0, ephemeralPause, 200 + 11 * ephemeralPause],
  );
  assert.deepEqual(
    wakesOf(bob).map((at) => at - began),
    [100],
  );
  pauses.tell(alice);
  pauses.close();
  clock.pass(ephemeralPause);
  assert.equal(wakesOf(alice).length, 3, 'nobody is woken after the end');
});

test('after the end nothing begins to wait', () => {
  const { clock, pauses, person, wakesOf } = start();
  const alice = person();
  pauses.tell(alice);
  pauses.close();
  pauses.tell(alice);
  clock.pass(10 * ephemeralPause);
  pauses.tell(alice);
  assert.equal(wakesOf(alice).length, 1);
});

test('a clock that is set back makes no pause longer', () => {
  const { clock, pauses, person, wakesOf } = start();
  const alice = person();
  pauses.tell(alice);
  clock.setBack(3_600_000);
  pauses.tell(alice);
  clock.pass(ephemeralPause);
  assert.equal(wakesOf(alice).length, 2);
  assert.equal(pauses.isDue(alice), true);
  pauses.close();
});

test('whatever comes when, everybody hears of all of it within a pause, and is not woken more often', () => {
  const step = fc.record({ who: fc.nat(2), wait: fc.oneof(fc.nat(300), fc.nat(5000)) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, pauses, person, wakesOf } = start();
      const people = [person(), person(), person()];
      const told = new Map<Pausing, number[]>();
      for (const { who, wait } of steps) {
        const user = people[who] as Pausing;
        pauses.tell(user);
        told.set(user, [...(told.get(user) ?? []), clock.now()]);
        clock.pass(wait);
      }
      clock.pass(ephemeralPause);
      for (const [user, times] of told) {
        const wakes = wakesOf(user);
        for (const at of times) assert.ok(wakes.some((wake) => wake >= at && wake <= at + ephemeralPause));
        wakes.forEach((wake, index) => assert.ok(index === 0 || wake - (wakes[index - 1] ?? 0) >= ephemeralPause));
        assert.ok(pauses.isDue(user));
      }
    }),
  );
});
