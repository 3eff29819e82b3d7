import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { runScenario } from './scenario.ts';

/** Fixed, so that a failure can be had again; `tests/crash/run.ts` tries others, for longer. */
const seed = 3;

suite('a server that is killed', { concurrency: true }, () => {
  for (const engine of ['sqlite', 'postgres'] as const) {
    test(`keeps what it acknowledged, and all of it fits together (${engine})`, { timeout: 180_000 }, async () => {
      const { kills, acknowledged } = await runScenario({ engine, seed, rounds: 4, within: 60 });
      assert.equal(kills.length, 4);
      assert.ok(acknowledged > 40, `${acknowledged} acknowledged`);
    });
  }
});
