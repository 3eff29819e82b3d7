import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { findMissing, type Repository } from './named-files.ts';

const root = join(import.meta.dirname, '../..');
const leftOut = new Set(['node_modules', '.git', 'data']);

/** From where the page that says where what is names files and folders. */
const pageBases = ['', 'packages/protocol/', 'packages/server/services/', 'packages/server/http/', 'packages/server/'];

/** Folders with a folder for each subject. */
const subjects = ['packages/protocol', 'packages/storage', 'packages/server', 'packages/server/services'];

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

test('the tests against attacks are where the page about them says', () => {
  const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
  const named = [...page.matchAll(/`([^`\s]+\.test\.ts)`/g)].map(([, path = '']) => path);
  assert.ok(named.length > 50, 'the tests are named');
  assert.deepEqual(
    named.filter((path) => !existsSync(join(root, 'packages/server', path))),
    [],
  );
});

suite('the page that says where what is', () => {
  const page = readFileSync(join(root, 'docs/contribute/where-is.md'), 'utf8');
  const named = [...page.matchAll(/`([^`\n]+)`/g)].map(([, path = '']) => path).filter((path) => !path.startsWith('/'));
  const paths = filesIn('packages');
  const isThere = (path: string) => existsSync(join(root, path));

  test('names nothing that is not there', () => {
    const missing = named.filter((path) => !pageBases.some((base) => isThere(`${base}${path}`)));
    assert.deepEqual(missing, []);
  });

  test('names every folder of a subject', () => {
    const whole = pageBases.flatMap((base) => named.map((path) => `${base}${path}/`)).join('\n');
    const missing = subjects.flatMap((base) => {
      const below = paths.filter((path) => path.startsWith(`${base}/`)).map((path) => path.slice(base.length + 1));
      const folders = new Set(below.filter((path) => path.includes('/')).map((path) => path.split('/')[0] ?? ''));
      return Array.from(folders, (folder) => `${base}/${folder}/`).filter((folder) => !whole.includes(folder));
    });
    assert.deepEqual(missing, []);
  });
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
