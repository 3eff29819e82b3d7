import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * For long computations on the event loop: something to wait for whenever others are to have their turn. Computations that
 * share a pacer take turns with each other, too. `atOnce`: milliseconds that they take at once.
 */
export function createPacer(atOnce = 2): () => Promise<void> | undefined {
  let started = performance.now();
  let last: Promise<void> = Promise.resolve();
  return () => {
    if (performance.now() - started < atOnce) return undefined;
    last = last.then(() => nextTurn()).then(() => void (started = performance.now()));
    return last;
  };
}
