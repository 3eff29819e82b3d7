import { useState } from 'preact/hooks';
import { describeProblem } from '../server/server-problem.ts';

export type Action = {
  /** Whether it is under way. */
  readonly isBusy: boolean;
  /** What went wrong the last time, in words. */
  readonly problem: string | undefined;
  /** Does something, unless it is being done already. */
  run(action: () => Promise<void>): void;
};

/** Something that a person sets off, that takes its time and may fail. */
export function useAction(): Action {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();

  async function go(action: () => Promise<void>): Promise<void> {
    setBusy(true);
    setProblem(undefined);
    try {
      await action();
    } catch (error) {
      setProblem(describeProblem(error));
    } finally {
      setBusy(false);
    }
  }
  return {
    isBusy,
    problem,
    run(action) {
      if (!isBusy) void go(action);
    },
  };
}
