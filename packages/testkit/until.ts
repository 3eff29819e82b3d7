import { setTimeout as pause } from 'node:timers/promises';

/** Long: only a test that fails waits for all of it. */
const longest = 60_000;

/** Asks again until there is an answer, which is anything but `undefined` and `false`. `what` says what was waited for. */
export async function until<T>(
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  what: string,
  patience = longest,
): Promise<T> {
  for (const end = Date.now() + patience; Date.now() < end; await pause(20)) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
  }
  throw new Error(`It did not come to pass: ${what}`);
}
