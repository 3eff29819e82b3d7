import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareRuns } from './compare-runs.ts';
import { formatRun, parseRun } from './read-run.ts';

const usage = `node conformance/compare.ts NEW.jsonl [--kept FILE] [--keep]

Compares a run of a suite with the kept list (conformance/complement.jsonl) and fails if a test that passed does not pass
any more. NEW.jsonl holds what \`go tool test2json\` writes, or lines of {"test": "PACKAGE NAME", "outcome": "pass"}.
--keep takes the new outcomes into the kept list, also the failures; outcomes of tests that did not run stay.
`;

function main(words: string[]): number {
  const { values, positionals } = parseArgs({
    args: words,
    allowPositionals: true,
    options: { kept: { type: 'string' }, keep: { type: 'boolean', default: false }, help: { type: 'boolean' } },
  });
  const [file, ...more] = positionals;
  if (values.help === true || file === undefined || more.length > 0) {
    process.stderr.write(usage);
    return values.help === true ? 0 : 2;
  }
  const keptFile = values.kept ?? join(import.meta.dirname, 'complement.jsonl');
  const kept = parseRun(readFileSync(keptFile, 'utf8'));
  const run = parseRun(readFileSync(file, 'utf8'));
  const { lines, isWorse, merged } = compareRuns(kept, run);
  for (const line of lines) process.stdout.write(`${line}\n`);
  if (values.keep) writeFileSync(keptFile, formatRun(merged));
  return isWorse ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
