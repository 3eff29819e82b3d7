import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';
import fc from 'fast-check';
import { createEphemeralPauses, ephemeralPause, type EphemeralPauses, type Pausing } from './ephemeral-pauses.ts';

/** Somebody with one client, which does what requests do: it waits, looks when it is woken, and asks again when it likes. */
function createPerson(clock: { now(): number }, pauses: () => EphemeralPauses<Person>) {
  let [unseen, toShow, isWaiting] = [0, 0, false];
  const answers: number[] = [];
  const vainLooks: number[] = [];

  function look(isFirst: boolean): void {
    const begins = pauses().begin(person);
    const hasSomething = toShow > 0;
    [unseen, toShow, isWaiting] = [0, 0, !hasSomething];
    if (hasSomething) answers.push(clock.now());
    else if (isFirst && begins) pauses().revoke(person);
    else vainLooks.push(clock.now());
  }

  const person = {
    pausedUntil: 0,
    answers,
    /** When a request that waited was woken, and found nothing. */
    vainLooks,
    isWaiting: () => isWaiting,
    /** Something has come; or something that is not for them. */
    tell(isForThem = true) {
      unseen += 1;
      if (isForThem) toShow += 1;
      pauses().tell(person);
    },
    wake() {
      if (!isWaiting) return;
      isWaiting = false;
      if (unseen > 0 && pauses().isDue(person)) look(false);
      else isWaiting = true;
    },
    ask() {
      if (isWaiting) return;
      if (unseen > 0 && pauses().isDue(person)) look(true);
      else isWaiting = true;
    },
    /** They are answered because of something else, and take along what there is. */
    message() {
      [unseen, toShow, isWaiting] = [0, 0, false];
    },
  };
  return person;
}

type Person = Pausing & { wake(): void };

function start() {
  const virtual = createVirtualClock();
  let back = 0;
  const setBack = (milliseconds: number) => void (back += milliseconds);
  const clock = { ...virtual, now: () => virtual.now() - back, setBack };
  const pauses: EphemeralPauses<Person> = createEphemeralPauses<Person>({
    ...clock,
    wake: (user) => user.wake(),
    isWaking: () => false,
  });
  return { clock, pauses, person: () => createPerson(clock, () => pauses) };
}

test('the first is told at once, what follows together, and after a silence the next at once again', () => {
  const { clock, pauses, person } = start();
  const [alice, bob] = [person(), person()];
  const began = clock.now();
  alice.ask();
  alice.tell();
  alice.ask();
  clock.pass(100);
  alice.tell();
  assert.equal(pauses.isDue(alice), false);
  bob.ask();
  bob.tell();
  assert.equal(pauses.isDue(bob), true);
  clock.pass(100);
  alice.tell();
  clock.pass(ephemeralPause);
  alice.ask();
  assert.equal(pauses.isDue(alice), true);
  clock.pass(10 * ephemeralPause);
  alice.tell();
  assert.deepEqual(
    alice.answers.map((at) => at - began),
    [0, ephemeralPause, 200 + 11 * ephemeralPause],
  );
  assert.deepEqual(
    bob.answers.map((at) => at - began),
    [100],
  );
  alice.ask();
  alice.tell();
  pauses.close();
  clock.pass(ephemeralPause);
  assert.equal(alice.answers.length, 3, 'nobody is woken after the end');
});

test('what comes while nobody waits begins no pause: whoever asks next gets all of it', () => {
  const { clock, person } = start();
  const alice = person();
  alice.tell();
  clock.pass(10);
  alice.tell();
  clock.pass(10);
  const asked = clock.now();
  alice.ask();
  assert.deepEqual(alice.answers, [asked]);
});

test('what goes along with a message begins no pause, neither does its end', () => {
  const { clock, person } = start();
  const alice = person();
  alice.ask();
  alice.tell();
  alice.ask();
  clock.pass(100);
  alice.tell();
  alice.message();
  alice.ask();
  clock.pass(ephemeralPause);
  const told = clock.now();
  alice.tell();
  assert.equal(alice.answers.at(-1), told);
});

test('what is not for somebody delays nothing that is, where they were not woken for it', () => {
  const { clock, pauses, person } = start();
  const alice = person();
  alice.tell(false);
  alice.ask();
  clock.pass(10);
  const told = clock.now();
  alice.tell();
  assert.deepEqual(alice.answers, [told]);

  const bob = person();
  bob.ask();
  assert.equal(pauses.begin(bob), true);
  bob.tell();
  assert.deepEqual(bob.answers, []);
  pauses.revoke(bob);
  assert.deepEqual(bob.answers, [clock.now()], 'what waited for the end of a pause that is taken back is told');
  pauses.close();
});

test('after the end nothing begins to wait', () => {
  const { clock, pauses, person } = start();
  const alice = person();
  alice.ask();
  alice.tell();
  pauses.close();
  alice.ask();
  alice.tell();
  clock.pass(10 * ephemeralPause);
  alice.tell();
  assert.equal(alice.answers.length, 1);
});

test('a clock that is set back makes no pause longer', () => {
  const { clock, pauses, person } = start();
  const alice = person();
  alice.ask();
  alice.tell();
  clock.setBack(3_600_000);
  alice.ask();
  alice.tell();
  clock.pass(ephemeralPause);
  assert.equal(alice.answers.length, 2);
  assert.equal(pauses.isDue(alice), true);
  alice.ask();
  clock.pass(ephemeralPause);
  alice.tell();
  assert.equal(alice.answers.length, 3);
  pauses.close();
});

type Step = { readonly who: number; readonly does: 'tell' | 'tell-another' | 'ask' | 'message'; readonly wait: number };

test('whatever comes when, everybody hears of it at once who was told nothing lately, else within a pause, and is not answered more often', () => {
  const step: fc.Arbitrary<Step> = fc.record({
    who: fc.nat(2),
    does: fc.constantFrom('tell', 'tell-another', 'ask', 'ask', 'message'),
    wait: fc.oneof(fc.nat(300), fc.nat(5000)),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, pauses, person } = start();
      const people = [person(), person(), person()];
      /** When each of what has come could be told at the earliest: as soon as a request waits. */
      const possible = new Map(people.map((user) => [user, [] as number[]]));
      const unasked = new Map(people.map((user) => [user, 0]));
      const messages = new Map(people.map((user) => [user, [] as number[]]));
      for (const { who, does, wait } of steps) {
        const user = people[who] ?? assert.fail();
        if (does === 'tell' && user.isWaiting()) possible.get(user)?.push(clock.now());
        else if (does === 'tell') unasked.set(user, (unasked.get(user) ?? 0) + 1);
        if (does === 'message') {
          messages.get(user)?.push(clock.now());
          unasked.set(user, 0);
        }
        if (does === 'ask' && !user.isWaiting()) {
          possible.get(user)?.push(...Array<number>(unasked.get(user) ?? 0).fill(clock.now()));
          unasked.set(user, 0);
        }
        if (does === 'tell') user.tell();
        else if (does === 'tell-another') user.tell(false);
        else if (does === 'ask') user.ask();
        else user.message();
        clock.pass(wait);
      }
      clock.pass(ephemeralPause);
      for (const [user, times] of possible) {
        const { answers, vainLooks } = user;
        const heard = [...answers, ...(messages.get(user) ?? [])];
        for (const at of times) {
          const wasLookedFor = [...answers, ...vainLooks].some((look) => look <= at && look > at - ephemeralPause);
          const limit = wasLookedFor ? at + ephemeralPause : at;
          assert.ok(
            heard.some((answer) => answer >= at && answer <= limit),
            'told late',
          );
        }
        const looks = [...answers, ...vainLooks].toSorted((one, other) => one - other);
        looks.forEach((look, index) => assert.ok(index === 0 || look - (looks[index - 1] ?? 0) >= ephemeralPause));
        assert.ok(pauses.isDue(user));
      }
    }),
  );
});
