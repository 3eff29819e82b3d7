import type { After } from './waiting.ts';

/**
 * Typing and receipts come in bursts: a message is read by everybody in its room at about the same time. Telling every reader of
 * every other one by one costs the square of their number, and keeps phones awake. So ephemeral events alone are a reason to
 * answer somebody at most once in so many milliseconds: the first after a silence at once, what follows together. All of them
 * go along with whatever else there is to tell meanwhile.
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
  /** The user is about to be answered, with ephemeral events alone. Whether a pause begins with that: there may be one. */
  begin(user: User): boolean;
  /** There was nothing that the user could be told: takes back the pause that was begun for it. */
  revoke(user: User): void;
  close(): void;
}

type Options<User> = {
  readonly now: () => number;
  readonly after: After;
  /** Wakes those requests of theirs that wait, if any do. */
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

  /** Milliseconds. A clock that is set back makes no pause longer. */
  function leftOf({ pausedUntil }: User): number {
    return Math.min(pausedUntil - now(), ephemeralPause);
  }

  function endPause(user: User): void {
    waiting.delete(user);
    user.pausedUntil = now();
    wake(user);
  }

  return {
    tell(user) {
      if (isClosed || waiting.has(user) || isWaking(user)) return;
      const left = leftOf(user);
      if (left <= 0) wake(user);
      else
        waiting.set(
          user,
          after(left, () => endPause(user)),
        );
    },
    isDue: (user) => !waiting.has(user),
    begin(user) {
      if (leftOf(user) > 0) return false;
      user.pausedUntil = now() + ephemeralPause;
      return true;
    },
    revoke(user) {
      const stop = waiting.get(user);
      stop?.();
      if (stop !== undefined) endPause(user);
      else user.pausedUntil = now();
    },
    close() {
      isClosed = true;
      for (const stop of waiting.values()) stop();
      waiting.clear();
    },
  };
}
