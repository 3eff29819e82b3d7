import { threadTime } from './thread-time.ts';

/** The most milliseconds that this thread computes in one go while something is done: for so long nobody else is answered. */
export async function longestTurn(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let isOver = false;
  let before = threadTime();
  const look = (): void => {
    const at = threadTime();
    longest = Math.max(longest, at - before);
    before = at;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  try {
    await work();
  } finally {
    isOver = true;
    look();
  }
  return longest;
}
