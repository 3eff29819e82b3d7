const shortestWait = 1000;
const longestWait = 60 * 60_000;
const maxWanted = 24 * 60 * 60_000;

/**
 * For how long a server is left alone that could not be reached so often in a row. A little different each time, so that
 * those that went together are not asked together.
 */
export function waitAfter(failures: number, random: number, wanted = 0): number {
  const doubled = Math.min(shortestWait * 2 ** Math.min(failures - 1, 20), longestWait);
  return Math.round(Math.max(doubled * (0.8 + 0.4 * random), Math.min(wanted, maxWanted)));
}
