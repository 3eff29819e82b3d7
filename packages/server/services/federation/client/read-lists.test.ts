import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FederationError } from './federation-error.ts';
import { asObject, asString, readLists } from './read-lists.ts';

const names = new Set(['pdus', 'auth_chain']);

async function* inChunks(...chunks: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

test('lists are handed out as they come, and no more is read before they were taken', async () => {
  const seen: string[] = [];
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (const chunk of ['{"pdus":["a","b",', '"c"],"auth_chain":["d"', '],"other":1}']) {
      seen.push(chunk);
      yield Buffer.from(chunk);
    }
  }
  const rest = await readLists({ chunks: chunks() }, names, asString, async (elements) => {
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(elements.map(({ list, value }) => `${list} ${value}`).join());
  });
  assert.deepEqual(seen, [
    '{"pdus":["a","b",',
    'pdus a,pdus b',
    '"c"],"auth_chain":["d"',
    'pdus c',
    '],"other":1}',
    'auth_chain d',
  ]);
  assert.deepEqual({ ...rest }, { pdus: [], auth_chain: [], other: 1 });
});

test('an answer whose lists do not end is given up', async () => {
  const part = Buffer.from('{},'.repeat(20_000));
  async function* endless(): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.from('{"pdus":[');
    for (;;) yield part;
  }
  let count = 0;
  const take = (elements: readonly unknown[]) => void (count += elements.length);
  await assert.rejects(readLists({ chunks: endless() }, names, asObject, take, 50_000), FederationError);
  assert.equal(count, 40_000);
});

test('something else than was asked for is no answer', async () => {
  const read = (text: string, as: (value: never) => unknown) =>
    assert.rejects(
      readLists({ chunks: inChunks(text) }, names, as as typeof asObject, () => undefined),
      FederationError,
    );
  await read('{"pdus":["x"]}', asObject);
  await read('{"pdus":[{}]}', asString);
  await read('{"pdus":[nothing]}', asString);
  await read('{"pdus":[{}', asObject);
  await read('[]', asObject);
});
