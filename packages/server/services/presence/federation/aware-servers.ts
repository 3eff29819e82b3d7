import { createSmallCache } from '../../reading/small-cache.ts';

/** Which servers keep to `allowed_recipients`. The proposal has no way to ask; who sends the field itself knows it. */
export interface AwareServers {
  note(host: string): void;
  /** At once from memory; where nothing is known the server is asked, and `onFound` called if it turns out to know it. */
  knows(host: string, onFound: () => void): boolean;
}

type Dependencies = {
  /** The name of the program that a server runs, or `undefined` if it does not say. */
  readonly programOf: (host: string) => Promise<string | undefined>;
  readonly ownProgram: string;
  readonly now: () => number;
};

const maxServers = 10_000;
const askAgainAfter = 24 * 60 * 60_000;

export function createAwareServers({ programOf, ownProgram, now }: Dependencies): AwareServers {
  const aware = createSmallCache<string, true>(maxServers);
  const asked = createSmallCache<string, number>(maxServers);

  async function ask(host: string, onFound: () => void): Promise<void> {
    const program = await programOf(host).catch(() => undefined);
    if (program !== ownProgram) return;
    aware.set(host, true);
    onFound();
  }

  return {
    note: (host) => aware.set(host, true),
    knows(host, onFound) {
      if (aware.get(host) === true) return true;
      if (now() - (asked.get(host) ?? -Infinity) > askAgainAfter) {
        asked.set(host, now());
        void ask(host, onFound);
      }
      return false;
    },
  };
}
