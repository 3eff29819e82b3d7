import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OutboundError } from './outbound-error.ts';
import { limited, readAll } from './read-body.ts';

test('of an answer that comes in many small pieces the bytes are kept, not the pieces', async () => {
  const text = 'some text, again and again. '.repeat(5000);
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    // Whoever keeps it finds other bytes in it later.
    const piece = Buffer.alloc(1);
    for (const byte of Buffer.from(text)) {
      piece[0] = byte;
      yield piece;
    }
  }
  assert.equal((await readAll(pieces())).toString(), text);
});

test('an answer that comes in far more pieces than anybody needs is not read to its end', async () => {
  let taken = 0;
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for (; taken < 1_000_000; taken++) yield Buffer.alloc(1);
  }
  const refused = (error: unknown) => error instanceof OutboundError && error.failure === 'too-large';
  await assert.rejects(readAll(limited(pieces(), 10_000_000)), refused);
  assert.ok(taken < 100_000);
});

test('an empty answer has no bytes', async () => {
  async function* none(): AsyncGenerator<Uint8Array, void, undefined> {}
  assert.equal((await readAll(none())).length, 0);
});
