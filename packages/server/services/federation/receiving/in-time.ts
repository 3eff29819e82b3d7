/** Waits for work, but, once that calls `onSlow`, not for longer than a while; then it goes on by itself. */
export type InTime = <T>(work: (onSlow: () => void) => Promise<T>) => Promise<T | undefined>;

type Options = {
  /** In milliseconds, from `onSlow` on. */
  readonly patience: number;
  /** How much may go on by itself; the rest is waited for. */
  readonly most: number;
  /** Told what becomes of work that was not waited for. */
  readonly onFailure: (error: unknown) => void;
};

export function createInTime({ patience, most, onFailure }: Options): InTime {
  let late = 0;

  async function goOn(work: Promise<unknown>): Promise<void> {
    late++;
    try {
      await work;
    } catch (error) {
      onFailure(error);
    } finally {
      late--;
    }
  }

  return async (work) => {
    const { promise: given, resolve: give } = Promise.withResolvers<undefined>();
    let timer: NodeJS.Timeout | undefined;
    const stop = () => {
      if (late >= most) return;
      void goOn(done);
      give(undefined);
    };
    const done = work(() => {
      timer ??= setTimeout(stop, patience);
    });
    try {
      return await Promise.race([done, given]);
    } finally {
      clearTimeout(timer);
    }
  };
}
