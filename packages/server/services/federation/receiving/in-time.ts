type Work<T> = {
  /** Of whom only so much may go on by itself. */
  readonly owner: string;
  readonly run: (onSlow: () => void) => Promise<T>;
  /** Keeps what is to be done from being lost; it is waited for until then. */
  readonly keep: () => Promise<void>;
  /** It is done, and need not be kept. */
  readonly forget: () => Promise<void>;
};

/** Waits for work, but, once that calls `onSlow`, not for longer than a while; then it goes on by itself. */
export type InTime = <T>(work: Work<T>) => Promise<T | undefined>;

type Options = {
  /** In milliseconds, from `onSlow` on. */
  readonly patience: number;
  /** How much may go on by itself; the rest is waited for. */
  readonly most: number;
  readonly mostOfOwner: number;
  /** Told what becomes of work that was not waited for. */
  readonly onFailure: (error: unknown) => void;
};

export function createInTime({ patience, most, mostOfOwner, onFailure }: Options): InTime {
  const byOwner = new Map<string, number>();
  let late = 0;

  function count(owner: string, change: 1 | -1): void {
    late += change;
    const left = (byOwner.get(owner) ?? 0) + change;
    if (left > 0) byOwner.set(owner, left);
    else byOwner.delete(owner);
  }

  async function goOn(work: Promise<unknown>, forget: () => Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      onFailure(error);
    }
    await forget();
  }

  /** Whether the work may go on by itself, which it does then. */
  async function letGo({ owner, keep, forget }: Work<unknown>, done: Promise<unknown>): Promise<boolean> {
    if (late >= most || (byOwner.get(owner) ?? 0) >= mostOfOwner) return false;
    count(owner, 1);
    try {
      await keep();
    } catch (error) {
      count(owner, -1);
      onFailure(error);
      return false;
    }
    void goOn(done, forget)
      .catch(onFailure)
      .finally(() => count(owner, -1));
    return true;
  }

  return async (work) => {
    const { promise: given, resolve: give } = Promise.withResolvers<undefined>();
    let timer: NodeJS.Timeout | undefined;
    const stop = async () => {
      if (await letGo(work, done)) give(undefined);
    };
    const done = work.run(() => {
      timer ??= setTimeout(() => void stop(), patience);
    });
    try {
      return await Promise.race([done, given]);
    } finally {
      clearTimeout(timer);
    }
  };
}
