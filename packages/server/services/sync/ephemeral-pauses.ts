import type { After } from './waiting.ts';

/**
 * Typing and receipts come in bursts: a message is read by everybody in its room at about the same time. Telling every reader of
 * every other one by one costs the square of their number, and keeps phones awake. So ephemeral events alone wake somebody at
 * most once in so many milliseconds: the first after a silence at once, what follows together. All of them go along with
 * whatever else there is to tell meanwhile.
 */
export const ephemeralPause = 1000;

/** Before this moment of the clock ephemeral events alone wake them no more. */
export type Pausing = { pausedUntil: number };

/** When ephemeral events wake whom. */
export interface EphemeralPauses<User extends Pausing> {
  /** There is something for the user: wakes them now, or when their pause is over. */
  tell(user: User): void;
  /** Whether what there is may be told now: nothing waits for the end of the user's pause. */
  isDue(user: User): boolean;
  close(): void;
}

type Options<User> = {
  readonly now: () => number;
  readonly after: After;
  readonly wake: (user: User) => void;
  /** Whether they are being woken, so that what comes now goes along. */
  readonly isWaking: (user: User) => boolean;
};

export function createEphemeralPauses<User extends Pausing>({
  now,
  after,
  wake,
  isWaking,
}: Options<User>): EphemeralPauses<User> {
  /** Those for whom something waits, and what stops the timer. */
  const waiting = new Map<User, () => void>();
  let isClosed = false;

  function wakeAndPause(user: User): void {
    user.pausedUntil = now() + ephemeralPause;
    wake(user);
  }

  return {
    tell(user) {
      if (isClosed || waiting.has(user) || isWaking(user)) return;
      // A clock that is set back makes no pause longer.
      const left = Math.min(user.pausedUntil - now(), ephemeralPause);
      if (left <= 0) {
        wakeAndPause(user);
        return;
      }
      const endPause = () => {
        waiting.delete(user);
        wakeAndPause(user);
      };
      waiting.set(user, after(left, endPause));
    },
    isDue: (user) => !waiting.has(user),
    close() {
      isClosed = true;
      for (const stop of waiting.values()) stop();
      waiting.clear();
    },
  };
}
