import { createQueuesByKey } from '../queues-by-key.ts';
import { createWorkQueue } from '../work-queue.ts';

/**
 * Lets a few answers at a time be made that tell all there is of rooms, and one of them for each person. All members of a large
 * room are in memory meanwhile, several times over, and everybody who waits for one of these would have them there.
 */
export interface WholeRooms {
  /** Throws `request.limit-exceeded` where too many wait for one person, and `server.overloaded` where too many wait at all. */
  run<T>(userId: string, read: () => Promise<T>): Promise<T>;
}

const concurrency = 4;
const mostWaiting = 2000;
/** All devices of one person may come back at once. */
const mostWaitingOfPerson = 30;

/** Events that anybody may read without waiting. */
const mostAtOnce = 1000;

export function createWholeRooms(): WholeRooms {
  const people = createQueuesByKey(mostWaitingOfPerson);
  const all = createWorkQueue({ concurrency, mostWaiting });
  return { run: (userId, read) => people.run(userId, () => all.run(read)) };
}

/**
 * Has events read that may be many, by their numbers: in turn with the whole rooms of others where they are.
 *
 * @param batches numbers of events, which have to be in memory together for the answer
 */
export async function readInTurn<T>(
  wholeRooms: WholeRooms,
  userId: string,
  batches: AsyncGenerator<readonly number[]>,
  read: (batches: AsyncIterable<readonly number[]>) => Promise<T>,
): Promise<T> {
  const first: (readonly number[])[] = [];
  for (let count = 0; count <= mostAtOnce;) {
    const { done, value } = await batches.next();
    if (done === true) return read(chain(first));
    first.push(value);
    count += value.length;
  }
  return wholeRooms.run(userId, () => read(chain(first, batches)));
}

async function* chain<T>(first: readonly T[], rest?: AsyncIterable<T>): AsyncGenerator<T> {
  yield* first;
  if (rest !== undefined) yield* rest;
}
