import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { reachable, readSources } from '../../../scripts/imports.ts';

const root = join(import.meta.dirname, '../../..');
const start = 'packages/web/account/main.ts';

type FileList = { readonly modules: Readonly<Record<string, readonly string[]>>; readonly libraries: object };

suite('the list of what the account page consists of', () => {
  const list = JSON.parse(readFileSync(join(import.meta.dirname, 'files.json'), 'utf8')) as FileList;
  const sources = new Map(readSources(root, ['packages/web', 'packages/protocol']).map((file) => [file.path, file]));
  const needed = [start, ...reachable(start, sources)].toSorted();

  test('is what it imports, from itself and from the pure core', () => {
    const listed = Object.entries(list.modules).flatMap(([name, paths]) =>
      paths.map((path) => `packages/${name}/${path}`),
    );
    assert.deepEqual(
      listed.toSorted(),
      needed.filter((target) => target.startsWith('packages/')),
    );
    assert.deepEqual(Object.keys(list.modules), ['web', 'protocol']);
  });

  test('has the libraries, and nothing that only Node.js has', () => {
    assert.deepEqual(
      Object.keys(list.libraries).toSorted(),
      needed.filter((target) => !target.startsWith('packages/')),
    );
  });
});
