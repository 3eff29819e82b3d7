import type { Turn, WriteSet } from '../database.ts';
import { StorageError } from '../errors.ts';
import { bytesOfSet } from './settle.ts';
import type { Pending } from './settle.ts';

export type Decide = (turn: Turn) => Promise<WriteSet>;

/** A decision that waits to be made while nobody else can commit. */
export type PendingDecision = Omit<Pending, 'set' | 'bytes'> & { readonly decide: Decide };

/** How long the decisions of one turn may take together, in milliseconds: everybody else's commits wait for them. */
const turnMilliseconds = 3000;

/**
 * Makes the decisions of one turn, one after the other, and returns the sets they led to. Whoever refuses, or takes longer
 * than there is time, is told so and left out.
 */
export async function decideInTurn(
  decisions: readonly PendingDecision[],
  milliseconds = turnMilliseconds,
): Promise<readonly Pending[]> {
  const decided: Pending[] = [];
  const turn = { over: false };
  const { promise: late, reject: end } = Promise.withResolvers<never>();
  const tooLate = new StorageError('unavailable', 'A decision that all commits waited for took too long');
  late.catch(() => undefined);
  const timer = setTimeout(() => {
    turn.over = true;
    end(tooLate);
  }, milliseconds);
  for (const { decide, since, resolve, reject } of decisions) {
    try {
      if (turn.over) throw tooLate;
      const set = await Promise.race([decide(turn), late]);
      decided.push({ set, bytes: bytesOfSet(set), since, resolve, reject });
    } catch (error) {
      reject(error);
    }
  }
  clearTimeout(timer);
  turn.over = true;
  return decided;
}
