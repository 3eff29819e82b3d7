export type Outcome = 'pass' | 'fail' | 'skip';

/** How each test of a run ended, by the package and the name: `tests/csapi TestLogin/parallel`. */
export type Run = ReadonlyMap<string, Outcome>;

type Line = {
  readonly test?: unknown;
  readonly outcome?: unknown;
  readonly Package?: unknown;
  readonly Test?: unknown;
  readonly Action?: unknown;
};

const outcomes: ReadonlySet<unknown> = new Set<Outcome>(['pass', 'fail', 'skip']);

/**
 * Reads lines of `{"test", "outcome"}`, or events of `go tool test2json`, of which those that end a test count. A test
 * that began and did not end has failed: the program died in it.
 */
export function parseRun(text: string): Run {
  const run = new Map<string, Outcome>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const { test, outcome } = readLine(line, index + 1);
    if (test === undefined) continue;
    if (outcome !== undefined) run.set(test, outcome);
    else if (!run.has(test)) run.set(test, 'fail');
  }
  return run;
}

function readLine(text: string, number: number): { test?: string; outcome?: Outcome } {
  let line: Line;
  try {
    line = JSON.parse(text) as Line;
  } catch {
    throw new Error(`Line ${number} is not JSON: ${text.slice(0, 100)}`);
  }
  if (typeof line.test === 'string' && isOutcome(line.outcome)) return { test: line.test, outcome: line.outcome };
  if (typeof line.Action !== 'string') throw new Error(`Line ${number} is no outcome of a test: ${text.slice(0, 100)}`);
  if (typeof line.Test !== 'string' || typeof line.Package !== 'string') return {};
  const test = `${shortName(line.Package)} ${line.Test}`;
  if (isOutcome(line.Action)) return { test, outcome: line.Action };
  return line.Action === 'run' ? { test } : {};
}

/** The folder of a package, without the module's address. */
function shortName(name: string): string {
  return name.replace(/^.*\/(?=tests(?:\/|$))/, '');
}

function isOutcome(value: unknown): value is Outcome {
  return outcomes.has(value);
}

export function formatRun(run: Run): string {
  const tests = [...run.keys()].toSorted();
  return tests.map((test) => `${JSON.stringify({ test, outcome: run.get(test) })}\n`).join('');
}
