/*
 * Work that grows with what people have written is done in steps: a generator yields after each of them, so that whoever runs
 * it can let others in between. Here nothing waits.
 */

/** How much is done at once of what grows with a list, in characters of it. */
export const stepSize = 8192;

/** Yields wherever others may have their turn. */
export type Steps<T> = Generator<void, T, void>;

/** Does at once what may be done in steps. */
export function runSteps<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
