import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';
import { createSendQueue } from './federation/send-queue.ts';
import { createTurns } from './turns.ts';

test('one follows the other, and what takes long goes on by itself', async () => {
  const clock = createVirtualClock();
  let ends = 0;
  const turns = createTurns({ after: clock.after, onEnd: () => (ends += 1) });
  await turns.take('quick', () => Promise.resolve());
  clock.pass(1000);
  assert.deepEqual([ends, turns.mustWait('quick')], [0, false]);

  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  for (const [index, { promise }] of gates.entries()) {
    const turn = turns.take(`slow ${index}`, () => promise);
    clock.pass(50);
    await turn;
  }
  assert.ok(turns.mustWait('slow 0'), 'it is under way');
  gates[0]?.resolve();
  const turn = turns.take('slow 4', () => new Promise(() => undefined));
  clock.pass(50);
  await turn;
  assert.equal(ends, 1);
  assert.ok(turns.mustWait('slow 0'), 'it took long before');
  assert.ok(!turns.mustWait('quick'));
});

test('whose presence takes long to be told keeps nobody else from being told of', async () => {
  const clock = createVirtualClock();
  const gate = Promise.withResolvers<void>();
  const [begun, sent]: [string[], string[]] = [[], []];
  const queue = createSendQueue({
    ...clock,
    onFailure: (error) => assert.fail(String(error)),
    async send(userId) {
      begun.push(userId);
      if (userId === '@slow:a') await gate.promise;
      sent.push(userId);
    },
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  queue.add('@slow:a', 200);
  queue.add('@quick:a', 200);
  clock.pass(200);
  await turn();
  assert.deepEqual(begun, ['@slow:a']);
  clock.pass(50);
  await turn();
  assert.deepEqual(sent, ['@quick:a']);
  // What is new of somebody waits for what is under way of them.
  queue.add('@slow:a', 200);
  clock.pass(2000);
  await turn();
  assert.deepEqual(begun, ['@slow:a', '@quick:a']);
  gate.resolve();
  await turn();
  clock.pass(1);
  await queue.settled();
  assert.deepEqual(sent, ['@quick:a', '@slow:a', '@slow:a']);
  await queue.close();
});
