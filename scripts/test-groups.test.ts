import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { groupFiles, writeGroups } from './test-groups.ts';

const statements = 'packages/storage/statements.test.ts';
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `packages/${index}.test.ts`);

test('every test file runs once, in the order of its neighbours', () => {
  for (const count of [0, 1, 12, 13, 100]) assert.deepEqual(groupFiles(numbered(count)).flat(), numbered(count));
});

test('a file that looks at all of its process has one to itself', () => {
  const [before, after] = [numbered(5), ['scripts/a.test.ts']];
  assert.deepEqual(groupFiles([...before, statements, ...after]), [[...before, ...after], [statements]]);
});

test('hooks of a file that is still being loaded wait for its tests', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-groups-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), `import { after, test } from 'node:test';\n${text}\n`);
    return name;
  };
  const quick = file('quick.mjs', "test('quick', () => console.log('quick'));");
  const late = file(
    'late.mjs',
    `after(() => console.log('after'));
     await new Promise((resolve) => setTimeout(resolve, 100));
     test('late', () => console.log('late'));`,
  );
  const [path = ''] = writeGroups([[quick, late]], folder, folder);
  const { stdout } = await promisify(execFile)(process.execPath, [path], {
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  assert.deepEqual(
    stdout.match(/^(quick|late|after)$/gm),
    ['quick', 'late', 'after'],
    'in the order in which they are wanted',
  );
});

/** Runs a group whose only test does that, and which is given a tenth of a second to end. */
function runLeaving(context: TestContext, what: string) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-groups-'));
  context.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(
    join(folder, 'left.mjs'),
    `import assert from 'node:assert';
     import { createServer } from 'node:net';
     import { test } from 'node:test';
     test('leaves something open', () => { ${what} });`,
  );
  const [path = ''] = writeGroups([['left.mjs']], folder, folder);
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, PORTICO_TEST_PATIENCE: '100' };
  return promisify(execFile)(process.execPath, ['--test', path], { env, timeout: 30_000 });
}

test('a process that goes on when its tests are over is ended, and says what it goes on for', async (context) => {
  await assert.rejects(runLeaving(context, 'createServer().listen(0)'), {
    code: 1,
    stdout: /leaves something open[\s\S]*something that they have left open keeps their process: .*TCPServerWrap/,
  });
});

test('one that goes on for timers alone is ended, and fails only if its tests did', async (context) => {
  await runLeaving(context, 'setTimeout(() => undefined, 600_000)');
  const failing = "setTimeout(() => undefined, 600_000); assert.fail('on purpose')";
  await assert.rejects(runLeaving(context, failing), { code: 1, stdout: /on purpose/ });
});
