import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createListSplitter, SplitError } from './split-lists.ts';

const limits = { element: 100_000, rest: 100_000, depth: 100 };

function split(text: string, cuts: readonly number[] = []) {
  const bytes = Buffer.from(text);
  const splitter = createListSplitter(new Set(['state', 'auth_chain']), limits);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  const found = places.slice(1).flatMap((place, index) => splitter.push(bytes.subarray(places[index], place)));
  const lists: { [list: string]: unknown[] } = { state: [], auth_chain: [] };
  for (const { list, bytes: element } of found) lists[list]?.push(JSON.parse(element.toString()));
  return { lists, rest: JSON.parse(splitter.end().toString()) as unknown };
}

test('an answer is split into what it holds, wherever it is cut', () => {
  const list = fc.array(fc.jsonValue(), { maxLength: 5 });
  const rest = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 });
  fc.assert(
    fc.property(
      list,
      list,
      rest,
      fc.array(fc.nat(), { maxLength: 6 }),
      fc.boolean(),
      (state, chain, other, cuts, wide) => {
        const { state: _, auth_chain: __, ...others } = other;
        const answer = { ...others, state, more: { state: ['not a list of the answer'] }, auth_chain: chain };
        const text = JSON.stringify(answer, undefined, wide ? 2 : undefined);
        const { lists, rest: left } = split(text, cuts);
        assert.deepEqual(lists, JSON.parse(JSON.stringify({ state, auth_chain: chain })));
        assert.deepEqual(left, JSON.parse(JSON.stringify({ ...answer, state: [], auth_chain: [] })));
      },
    ),
  );
});

test('what is too long, too deep or cut off is refused', () => {
  const refused = (text: string) => assert.throws(() => split(text), SplitError, text.slice(0, 50));
  refused(`{"state":["${'x'.repeat(limits.element)}"]}`);
  refused(`{"other":"${'x'.repeat(limits.rest)}"}`);
  refused(`{"${'k'.repeat(300)}":1}`);
  refused(`{"state":[${'['.repeat(101)}${']'.repeat(101)}]}`);
  refused('{"state":[{}');
  refused('{"state":[{}]');
});
