import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { findMissing, type Repository } from './named-files.ts';

const root = join(import.meta.dirname, '../..');
const leftOut = new Set(['node_modules', '.git', 'data']);

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !leftOut.has(name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      return entry.isDirectory() ? filesIn(path) : [path];
    });
}

test('files, folders and commands that the documents name are there', () => {
  const files = filesIn('');
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const repository = { files, npmScripts: new Set(Object.keys(scripts)) };
  const documents = files.filter((file) => file.endsWith('.md'));
  assert.ok(documents.length > 20, 'the documents are found');
  const missing = documents.flatMap((path) =>
    findMissing({ path, text: readFileSync(join(root, path), 'utf8') }, repository),
  );
  assert.deepEqual(missing, []);
});

suite('what is not there is found:', () => {
  const repository: Repository = { files: ['packages/a/b.ts', 'docs/c.md'], npmScripts: new Set(['dev']) };
  const plants: readonly [what: string, text: string, found: number][] = [
    ['a file', 'See `a/gone.ts`.', 1],
    ['a folder', 'All of it is in `packages/gone`.', 1],
    ['a folder of the server', 'All of it is in `services/gone`.', 1],
    ['a file in a command', 'Do this:\n\n    node packages/gone.ts --all\n', 1],
    ['the end of a link', '[see there](gone.md#part)', 1],
    ['a script', 'Run `npm run gone`.', 1],
    ['tests', 'Run `npm test -- gone`.', 1],
    ['nothing', '`a/b.ts`, `packages/a`, [c](c.md), [d](https://example.org/d), `npm run dev`, `GET /e/f`', 0],
  ];
  for (const [what, text, found] of plants) {
    test(what, () => {
      assert.equal(findMissing({ path: 'docs/x.md', text }, repository).length, found);
    });
  }
});
