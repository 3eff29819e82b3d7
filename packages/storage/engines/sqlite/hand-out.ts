/** Milliseconds that whoever waited may work with what came, before everything else has its turn. */
const atOnce = 2;

/**
 * Gives what a thread sends to whoever waits for it, a little at a time. The runtime hands out up to a thousand messages before
 * it looks at anything else, and one that comes meanwhile is the next of them: twenty people who read a long answer, each of whose
 * pieces leads to the question for the next, would keep everybody else waiting for seconds.
 */
export function createHandOut<T>(give: (item: T) => void): (item: T) => void {
  const waiting: T[] = [];
  let planned = false;

  function turn(): void {
    const started = performance.now();
    const next = (): void => {
      const item = waiting.shift();
      planned = item !== undefined;
      if (item === undefined) return;
      give(item);
      // When everything that follows from it at once is done.
      queueMicrotask(() => process.nextTick(performance.now() - started < atOnce ? next : later));
    };
    const later = (): void => void setImmediate(turn);
    next();
  }

  return (item) => {
    waiting.push(item);
    if (planned) return;
    planned = true;
    setImmediate(turn);
  };
}
