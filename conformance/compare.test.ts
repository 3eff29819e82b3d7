import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { compareRuns } from './compare-runs.ts';
import { formatRun, parseRun, type Outcome } from './read-run.ts';

const runOf = (outcomes: Record<string, Outcome>) => new Map(Object.entries(outcomes));

describe('a run is read', () => {
  test('from the events of test2json; what began and did not end has failed', () => {
    const events = [
      { Action: 'start', Package: 'github.com/matrix-org/complement/tests/csapi' },
      { Action: 'run', Package: 'github.com/matrix-org/complement/tests/csapi', Test: 'TestA' },
      { Action: 'run', Package: 'github.com/matrix-org/complement/tests/csapi', Test: 'TestA/part' },
      { Action: 'output', Package: 'tests', Test: 'TestB', Output: 'text' },
      { Action: 'pass', Package: 'github.com/matrix-org/complement/tests/csapi', Test: 'TestA/part' },
      { Action: 'skip', Package: 'tests', Test: 'TestB' },
      { Action: 'fail', Package: 'tests' },
    ];
    const run = parseRun(events.map((event) => JSON.stringify(event)).join('\n'));
    assert.deepEqual(
      run,
      runOf({ 'tests/csapi TestA': 'fail', 'tests/csapi TestA/part': 'pass', 'tests TestB': 'skip' }),
    );
  });

  test('as it was written', () => {
    const run = runOf({ 'tests B': 'pass', 'tests A': 'fail' });
    assert.equal(formatRun(run), '{"test":"tests A","outcome":"fail"}\n{"test":"tests B","outcome":"pass"}\n');
    assert.deepEqual(parseRun(formatRun(run)), new Map([...run].toReversed()));
  });

  test('or refused with the line', () => {
    assert.throws(() => parseRun('{"test":"tests A","outcome":"pass"}\nok\n'), /Line 2 is not JSON: ok/);
    assert.throws(() => parseRun('{"test":"tests A","outcome":"fine"}'), /Line 1 is no outcome/);
  });
});

describe('a run is compared', () => {
  const kept = runOf({ 'tests A': 'pass', 'tests B': 'fail', 'tests C': 'pass' });

  test('and is worse if what passed fails or is skipped, or what is new fails', () => {
    for (const worse of [{ 'tests A': 'fail' }, { 'tests A': 'skip' }, { 'tests D': 'fail' }] as const) {
      assert.ok(compareRuns(kept, runOf(worse)).isWorse, JSON.stringify(worse));
    }
    const same = { 'tests A': 'pass', 'tests B': 'fail', 'tests D': 'skip' } as const;
    assert.ok(!compareRuns(kept, runOf(same)).isWorse);
  });

  test('and says what is new, and what did not run keeps its outcome', () => {
    const { lines, merged } = compareRuns(kept, runOf({ 'tests B': 'pass', 'tests A': 'fail' }));
    assert.deepEqual(lines, [
      'new pass: tests B (was fail)',
      'new failure: tests A (was pass)',
      '1 pass, 1 fail, 0 skipped; 1 of the kept list did not run',
    ]);
    assert.deepEqual(merged, runOf({ 'tests A': 'fail', 'tests B': 'pass', 'tests C': 'pass' }));
  });
});

test('the kept list is sorted, and each test is in it once', () => {
  const text = readFileSync(join(import.meta.dirname, 'complement.jsonl'), 'utf8');
  assert.equal(formatRun(parseRun(text)), text);
});
