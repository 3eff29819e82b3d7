import type { Outcome, Run } from './read-run.ts';

export type Comparison = {
  /** What changed, for a person. */
  readonly lines: readonly string[];
  /** Whether a test that passed does not pass now, or a test that nobody has seen does not pass. */
  readonly isWorse: boolean;
  /** The kept outcomes with the new ones in their place. */
  readonly merged: Run;
};

/** A run may be a part of the suite: tests that did not run are counted, and keep their outcome. */
export function compareRuns(kept: Run, run: Run): Comparison {
  const failures: string[] = [];
  const passes: string[] = [];
  for (const [test, outcome] of run) {
    const before = kept.get(test);
    if (outcome === 'fail' && before !== 'fail') failures.push(`new failure: ${test} (${describe(before)})`);
    else if (outcome === 'skip' && before === 'pass') failures.push(`skipped: ${test} (${describe(before)})`);
    else if (outcome === 'pass' && before !== 'pass') passes.push(`new pass: ${test} (${describe(before)})`);
  }
  const count = (outcome: Outcome) => [...run.values()].filter((value) => value === outcome).length;
  const notRun = [...kept.keys()].filter((test) => !run.has(test)).length;
  const total = `${count('pass')} pass, ${count('fail')} fail, ${count('skip')} skipped; ${notRun} of the kept list did not run`;
  return {
    lines: [...passes.toSorted(), ...failures.toSorted(), total],
    isWorse: failures.length > 0,
    merged: new Map([...kept, ...run]),
  };
}

function describe(before: Outcome | undefined): string {
  return before === undefined ? 'not in the kept list' : `was ${before}`;
}
