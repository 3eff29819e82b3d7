import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit';
import * as fc from 'fast-check';
import { createWriteSet, sql } from '../index.ts';

const put = sql<void, [key: string, value: string]>(
  'test.any-text.put',
  'insert into server_metadata (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value',
);
const putAll = sql<void, [entries: string]>(
  'test.any-text.put-all',
  `insert into server_metadata (key, value)
   select value ->> 0, value ->> 1 from json_each(cast($1 as text)) where true
   on conflict (key) do update set value = excluded.value`,
);
const find = sql<{ readonly value: string }, [key: string]>(
  'test.any-text.find',
  'select value from server_metadata where key = $1',
);
const findAll = sql<{ readonly key: string; readonly value: string }, [keys: string]>(
  'test.any-text.find-all',
  'select key, value from server_metadata where key in (select value from json_each(cast($1 as text)))',
);
const members = sql<{ readonly key: string; readonly value: string }, [members: string]>(
  'test.any-text.members',
  'select key, value from json_each(cast($1 as text))',
);
const member = sql<{ readonly value: string }, [object: string, name: string]>(
  'test.any-text.member',
  'select cast($1 as text) ->> cast($2 as text) as value',
);
const joined = sql<{ readonly text: string }, [one: string, other: string]>(
  'test.any-text.joined',
  'select cast($1 as text) || cast($2 as text) as text',
);

/** NUL, what PostgreSQL keeps in its place, and what JSON writes it as, beside one another and anything else. */
const character = fc.oneof(
  fc.constantFrom('\0', '\uFDD0', '0', '\\', 'u0000', '\\u0000', '"', '\n', 'é', '😀'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }),
);
const text = fc.array(character, { maxLength: 8 }).map((parts) => parts.join(''));
const key = text.map((each) => `k${each}`);

onBothEngines('any Unicode text is found, compared and given back as it is', async (database) => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(key, { minLength: 1, maxLength: 4 }), text, async (keys, value) => {
      const [first = '', ...others] = keys;
      const set = createWriteSet();
      set.add(put, [first, value]);
      set.add(putAll, [JSON.stringify(others.map((each) => [each, value + each]))]);
      await database.commit(set);
      const expected = [{ key: first, value }, ...others.map((each) => ({ key: each, value: value + each }))];
      for (const each of expected) assert.equal((await database.get(find, [each.key]))?.value, each.value);
      const byKey = (rows: readonly { key: string }[]) => rows.toSorted((a, b) => (a.key < b.key ? -1 : 1));
      assert.deepEqual(byKey(await database.all(findAll, [JSON.stringify(keys)])), byKey(expected));
      const object = JSON.stringify(Object.fromEntries(keys.map((each) => [each, value])));
      const given = await database.all(members, [object]);
      assert.deepEqual(byKey(given), byKey(keys.map((each) => ({ key: each, value }))));
      assert.equal((await database.get(joined, [first, value]))?.text, first + value);
      // What is JSON text stays what it is.
      const json = JSON.stringify(keys);
      assert.equal((await database.get(joined, [json, '']))?.text, json);
    }),
    { numRuns: 200 },
  );
});

onBothEngines('a member of an object with any value is given as it is', async (database) => {
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      assert.equal((await database.get(member, [JSON.stringify({ name: value }), 'name']))?.value, value);
    }),
    { numRuns: 100 },
  );
});
