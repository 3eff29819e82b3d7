import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAll } from './read-body.ts';

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

test('an empty answer has no bytes', async () => {
  async function* none(): AsyncGenerator<Uint8Array, void, undefined> {}
  assert.equal((await readAll(none())).length, 0);
});
