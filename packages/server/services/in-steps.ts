import { createPacer } from './pacer.ts';

/** Runs what is done in steps, and lets others in between. */
export async function inSteps<T>(steps: Generator<void, T, void>): Promise<T> {
  const pace = createPacer();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    const pause = pace();
    if (pause !== undefined) await pause;
  }
}
