import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long one piece of work may keep the event loop from others, in milliseconds. */
const slice = 2;

/** Runs what is done in steps, and lets others in between. */
export async function inSteps<T>(steps: Generator<void, T, void>): Promise<T> {
  let since = performance.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (performance.now() - since < slice) continue;
    await nextTurn();
    since = performance.now();
  }
}

/** To be awaited within loops: lets others in after every few milliseconds. */
export function createBreather(): () => Promise<void> | undefined {
  let since = performance.now();

  async function breathe(): Promise<void> {
    await nextTurn();
    since = performance.now();
  }

  return () => (performance.now() - since < slice ? undefined : breathe());
}
