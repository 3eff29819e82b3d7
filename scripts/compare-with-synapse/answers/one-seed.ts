import { chooseAction } from './actions/choose-action.ts';
import { createRoom } from './actions/rooms.ts';
import type { Findings } from './findings.ts';
import { register } from './people.ts';
import { readSomething } from './reads.ts';
import type { Both, Call } from './servers.ts';
import { compareSlidingSyncs, compareSyncs } from './views.ts';
import { begin, createWorld, Diverged } from './world.ts';

type Options = {
  readonly seed: number;
  readonly steps: number;
  readonly calls: Both<Call>;
  readonly findings: Findings;
  readonly print?: ((line: string) => void) | undefined;
};

/** Has people do something again and again, and look at what came of it. Says what kept it from coming to its end. */
export async function runSeed({ seed, steps, ...parts }: Options): Promise<string | undefined> {
  const world = createWorld({ seed, ...parts });
  world.step = 'start';
  for (const name of ['u0', 'u1', 'u2', 'u3']) await register(world, name);
  try {
    while (world.rooms.length < 2) await createRoom(world);
    for (let step = 1; step <= steps; step += 1) {
      world.step = String(step);
      await chooseAction(world)(world);
      if (step % 3 === 0) await readSomething(world);
      if (step % 5 !== 0) continue;
      await compareSyncs(world);
      await compareSlidingSyncs(world);
    }
    await compareSyncs(world);
    world.step = 'end, from the beginning';
    for (const device of world.devices) device.progress = { portico: begin(), synapse: begin() };
    await compareSyncs(world);
    await compareSlidingSyncs(world);
    return undefined;
  } catch (error) {
    if (error instanceof Diverged) return `step ${world.step}: ${error.message}`;
    throw error;
  }
}
