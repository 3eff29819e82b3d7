import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInboundEdus } from './edus.ts';

const log = { debug: () => undefined, warn: () => undefined };

/** Keeps the thread busy, as a thousand receipts of people who are in no room do. */
function work(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

test('others have their turn between the EDUs of a transaction, also where none of them leads to anything', async () => {
  let received = 0;
  const handler = {
    afterEvents: false,
    receive: async () => {
      received += 1;
      work(3);
    },
  };
  const edus = createInboundEdus({ handlers: new Map([['m.receipt', handler]]), log });
  const seen: number[] = [];
  const look = () => {
    seen.push(received);
    if (received < 20) setImmediate(look);
  };
  setImmediate(look);
  const all = Array.from({ length: 20 }, () => ({ edu_type: 'm.receipt', content: {} }));
  await edus.receive('hs2', all, 'nothing');
  assert.equal(received, 20);
  assert.ok(new Set(seen).size > 10, `others looked at ${[...new Set(seen)].join()}`);
});
