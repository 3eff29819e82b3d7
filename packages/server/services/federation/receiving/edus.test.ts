import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
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

test('an EDU that is refused, or breaks something, takes none of the others along; one that is to come again does', async () => {
  const received: unknown[] = [];
  const errors = new Map<unknown, Error>([
    ['refused', new MatrixError('request.invalid-param')],
    ['broken', new TypeError('a defect')],
    ['again', new MatrixError('server.overloaded')],
  ]);
  const handler = {
    afterEvents: false,
    receive: async ({ content }: { readonly content: JsonObject }) => {
      const error = errors.get(content['is']);
      if (error !== undefined) throw error;
      received.push(content['is']);
    },
  };
  const edus = createInboundEdus({ handlers: new Map([['m.receipt', handler]]), log });
  const all = (...list: readonly string[]) => list.map((is) => ({ edu_type: 'm.receipt', content: { is } }));
  await edus.receive('hs2', all('first', 'refused', 'broken', 'last'), 'nothing');
  assert.deepEqual(received, ['first', 'last']);
  await assert.rejects(edus.receive('hs2', all('again'), 'nothing'), /./);
});
