import { useEffect, useState } from 'preact/hooks';
import { describeProblem } from '../server/server-problem.ts';

export type Loaded<T> = {
  /** `undefined` until it is there. */
  readonly value: T | undefined;
  readonly problem: string | undefined;
  reload(): void;
  replace(value: T): void;
};

/** Something that is asked for when it is first shown. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const [value, setValue] = useState<T>();
  const [problem, setProblem] = useState<string>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isWanted = true;
    const show = async (): Promise<void> => {
      try {
        const loaded = await load();
        if (!isWanted) return;
        setValue(() => loaded);
        setProblem(undefined);
      } catch (error) {
        if (isWanted) setProblem(describeProblem(error));
      }
    };
    void show();
    return () => {
      isWanted = false;
    };
  }, [round]);
  return { value, problem, reload: () => setRound(round + 1), replace: (next) => setValue(() => next) };
}
