import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { createHandOut } from './hand-out.ts';

function work(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test('others have their turn while each message that comes leads to the next', async (context) => {
  const { port1, port2 } = new MessageChannel();
  context.after(() => port1.close());
  const { promise: ended, resolve: done } = Promise.withResolvers<void>();
  const messages = 300;
  let turns = 0;
  let watching = true;
  const watch = (): void => {
    turns++;
    if (watching) setImmediate(watch);
  };
  const seen: number[] = [];
  async function take(number: number): Promise<void> {
    seen.push(number);
    await Promise.resolve();
    work(1);
    if (number < messages) port1.postMessage(number + 1);
    else done();
  }
  const handOut = createHandOut((number: number) => void take(number));
  port2.on('message', handOut);
  setImmediate(watch);
  port1.postMessage(1);
  await ended;
  watching = false;
  assert.ok(turns > messages / 4, `there were ${turns} turns`);
  assert.deepEqual(
    seen,
    Array.from({ length: messages }, (_, index) => index + 1),
  );
});

test('what comes at once is given in its order, as much of it in one turn as there is time for', async () => {
  const seen: number[] = [];
  let turns = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const handOut = createHandOut((number: number) => {
    seen.push(number);
    if (number === 100) resolve();
  });
  const watch = (): void => {
    turns++;
    if (seen.length < 100) setImmediate(watch);
  };
  for (let number = 1; number <= 100; number++) handOut(number);
  setImmediate(watch);
  await promise;
  assert.deepEqual(
    seen,
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
  assert.ok(turns < 50, `there were ${turns} turns`);
});
