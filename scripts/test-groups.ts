import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** How many test files share a process. What goes wrong in a process as a whole fails all of them. */
const filesPerProcess = 12;

/**
 * They look at all that their process has loaded, and must not find there what other tests bring along; or keep what chance has
 * them ask from counting as tested, for their whole process.
 */
const alone: ReadonlySet<string> = new Set([
  'packages/storage/statements.test.ts',
  'packages/server/http/fuzz.test.ts',
  'tests/federation/fuzz.test.ts',
]);

/** Which test files share a process: neighbours, so that few of them move to another one when a file is added. */
export function groupFiles(files: readonly string[]): string[][] {
  const others = files.filter((file) => !alone.has(file));
  const count = Math.ceil(others.length / filesPerProcess);
  const groups = Array.from({ length: count }, (_, index) =>
    others.slice(index * filesPerProcess, (index + 1) * filesPerProcess),
  );
  return [...groups, ...files.filter((file) => alone.has(file)).map((file) => [file])];
}

/**
 * Writes a module for each process, which loads its test files one after the other, and answers their paths. Tests begin when all
 * are loaded: the runner would otherwise take the end of those that are there for the end of all, and run hooks that belong to files which
 * are still being loaded.
 */
export function writeGroups(groups: readonly (readonly string[])[], root: string, folder: string): string[] {
  return groups.map((files, index) => {
    const path = join(folder, `${String(index + 1).padStart(3, '0')}.test.mjs`);
    writeFileSync(path, groupText(files.map((file) => join(root, file))));
    return path;
  });
}

const leftovers = join(import.meta.dirname, 'end-leftovers.ts');

const groupText = (paths: readonly string[]): string => `import { after, test } from 'node:test';
import { endLeftovers } from ${JSON.stringify(leftovers)};
async function load() {
${paths.map((path) => `  await import(${JSON.stringify(path)});\n`).join('')}}
const loading = load();
test('the files that share this process are loaded', () => loading);
await loading;
after(endLeftovers);
`;
