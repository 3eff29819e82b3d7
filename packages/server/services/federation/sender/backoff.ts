const shortestWait = 1000;
const hour = 60 * 60_000;
const day = 24 * hour;
/** So often in a row, when a server has been out of reach for a day. */
const failuresOfADay = 37;

/**
 * For how long a server is left alone that could not be reached so often in a row: up to an hour for a day, and then up to a
 * day, since it is asked again as soon as it says something. A little different each time, so that those that went together
 * are not asked together.
 */
export function waitAfter(failures: number, random: number, wanted = 0): number {
  const longest = Math.min(hour * 2 ** Math.max(0, Math.min(failures - failuresOfADay, 5)), day);
  const doubled = Math.min(shortestWait * 2 ** Math.min(failures - 1, 20), longest);
  return Math.round(Math.max(doubled * (0.8 + 0.4 * random), Math.min(wanted, day)));
}
