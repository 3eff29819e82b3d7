import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/**
 * `npm run check`: format, lint, types and the tests that take no time, all of them whatever the first ones say. Prints a line for
 * each, and what it said only where it failed; of the tests, those that failed.
 */
const root = join(import.meta.dirname, '..');

const steps: readonly (readonly [name: string, script: string])[] = [
  ['format', 'check:format'],
  ['lint', 'check:lint'],
  ['types', 'check:types'],
  ['unit tests', 'test:unit'],
];

/** The heading under which the test runner repeats what failed, after everything else. */
const failingTests = '✖ failing tests:';

/** In bytes: what thousands of tests say while they run. */
const mostOutput = 256 * 1024 * 1024;

/** How many tests ran and how many of them failed, as the runner counts them at its end. */
function countsIn(output: string): string {
  const counts = Array.from(output.matchAll(/^ℹ (tests|fail) (\d+)$/gm), ([, what, count]) => `${count} ${what}`);
  return counts.length === 0 ? '' : `, ${counts.join(', ')}`;
}

function whatFailed(output: string): string {
  const at = output.lastIndexOf(failingTests);
  return (at === -1 ? output : output.slice(at)).trimEnd();
}

function check(name: string, script: string): boolean {
  const started = performance.now();
  const { status, stdout, stderr, error } = spawnSync('npm', ['run', '--silent', script], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: mostOutput,
  });
  const isFine = status === 0;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${isFine ? '✔' : '✖'} ${name} (${seconds} s${countsIn(stdout)})\n`);
  if (isFine) return true;
  const said = [whatFailed(stdout), stderr.trimEnd(), error?.message ?? ''].filter((text) => text !== '');
  process.stdout.write(said.map((text) => `${text}\n`).join(''));
  return false;
}

const failed = steps.filter(([name, script]) => !check(name, script)).map(([name]) => name);
process.stdout.write(failed.length === 0 ? 'Everything is fine.\n' : `Failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;
