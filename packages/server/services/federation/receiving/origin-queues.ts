import { createQueuesByKey, type QueuesByKey } from '../../queues-by-key.ts';

/** Lets the transactions of one server happen one after the other: the key is its name. */
export type OriginQueues = QueuesByKey;

/**
 * "The sending server must wait and retry for a 200 OK response before sending a transaction with a different `txnId`": who
 * does so has one at a time, and a repeated one that takes part in the first.
 */
const mostWaiting = 10;

export function createOriginQueues(): OriginQueues {
  return createQueuesByKey(mostWaiting);
}
