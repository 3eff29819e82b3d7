/** In milliseconds. */
export const usualRest = 100;
/** Transactions that may follow each other at once. */
export const restless = 5;

/**
 * Whether a server is left alone for a while after a transaction. A transaction costs both sides ten times what one more event in it
 * does, so what comes while much is sent goes together; but what comes now and then, such as an answer in a conversation, goes at once.
 * So many transactions may follow each other, and one more for each `length` (milliseconds) that passes.
 */
export type Rests = (now: number) => boolean;

export function createRests(length: number): Rests {
  let spare = restless;
  let last = 0;
  return (now) => {
    spare = Math.max(-1, Math.min(restless, spare + Math.max(0, now - last) / length) - 1);
    last = now;
    return spare < 0;
  };
}
