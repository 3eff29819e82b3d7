import { setTimeout as delay } from 'node:timers/promises';

const usualPatience = 30_000;

/** Asks again until it is so: other servers hear of things in their own time. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>, patience = usualPatience): Promise<T> {
  let last: unknown;
  for (const end = Date.now() + patience; Date.now() < end; await delay(50)) {
    try {
      const found = await ask();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`It did not come to pass: ${what}`, { cause: last });
}

export const room = (roomId: string, rest: string): string => `rooms/${encodeURIComponent(roomId)}/${rest}`;
