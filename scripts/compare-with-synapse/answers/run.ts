import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { synapseVersion, whySynapseIsMissing } from '../synapse-process.ts';
import { createFindings } from './findings.ts';
import { runSeed } from './one-seed.ts';
import { startServers } from './servers.ts';

/*
 * Does the same on Portico and on Synapse, at random, and prints where they answer differently: what requests give, and what
 * every device knows after all that it was told by either kind of sync.
 *
 *     PORTICO_SYNAPSE_PYTHON=/path/to/python node scripts/compare-with-synapse/answers/run.ts [seed] [steps] [seeds]
 *
 * PORTICO_ANSWERS_TOLD=true has it print everything that it does, and the differences that are known. A seed with as many steps does the same again. It ends early where only one of the two did what it was asked: what comes
 * after it would be about two different rooms.
 */
const [firstSeed = 1, steps = 150, seeds = 1] = process.argv.slice(2).map(Number);

const print = process.env['PORTICO_ANSWERS_TOLD'] === 'true' ? console.log : undefined;

const missing = whySynapseIsMissing();
if (missing !== undefined) {
  console.log(`Synapse is skipped: ${missing}`);
  process.exit(0);
}
console.log(`Synapse ${synapseVersion()}`);
const folder = mkdtempSync(join(tmpdir(), 'portico-answers-'));
const findings = createFindings(console.log, print);
const servers = await startServers(folder, process.env['PORTICO_SYNAPSE_PYTHON'] ?? 'python3');
try {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    const before = findings.unknown;
    const ended = await runSeed({ seed, steps, calls: servers.calls, findings, print });
    const end = ended === undefined ? '' : `, ended at ${ended}`;
    console.log(`seed ${seed}: ${findings.unknown - before} new differences${end}`);
  }
} finally {
  await servers.stop();
}
for (const [reason, count] of findings.known) console.log(`known, ${count} times: ${reason}`);
if (findings.unknown === 0) rmSync(folder, { recursive: true, force: true });
else console.log(`What they wrote is in ${folder}.`);
process.exit(findings.unknown === 0 ? 0 : 1);
