import { parseArgs } from 'node:util';
import { runScenario } from './scenario.ts';

/** `node tests/crash/run.ts --rounds N [--seed N] [--engine sqlite|postgres]`: the crash test for as long as one likes. */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    engine: { type: 'string' },
  },
});
const engines = (['sqlite', 'postgres'] as const).filter((engine) => (values.engine ?? engine) === engine);
for (const engine of engines) {
  const started = performance.now();
  const { kills, acknowledged } = await runScenario({
    engine,
    seed: Number(values.seed),
    rounds: Number(values.rounds),
    say: (line) => process.stdout.write(`${line}\n`),
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  process.stdout.write(
    `${engine}: ${kills.length} kills, ${acknowledged} acknowledged events, all there (${seconds} s)\n`,
  );
}
process.exit(0);
