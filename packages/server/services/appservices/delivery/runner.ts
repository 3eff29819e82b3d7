import { createAlarm } from '../../alarm.ts';

/** Does one step after another while there is something to do, never two at a time. */
export interface Runner {
  /** There is something to do. A pause that a step asked for is kept. */
  wake(): void;
  /** Ends a pause. */
  hurry(): void;
  close(): Promise<void>;
}

type Options = {
  /** Says after how many milliseconds there is another step, or `idle` if there is none until somebody wakes the runner. */
  readonly step: () => Promise<number | 'idle'>;
  readonly onFailure: (error: unknown) => void;
};

const pauseAfterFailure = 5000;

export function createRunner({ step, onFailure }: Options): Runner {
  let isWoken = false;
  const stopping = new AbortController();
  const pausing = createAlarm(start);
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      isWoken = false;
      const next = await step();
      if (next === 'idle') {
        // Somebody may have woken it during the step.
        if (!isWoken) return;
      } else if (next > 0) return pause(next);
    }
  }

  function pause(milliseconds: number): void {
    if (!stopping.signal.aborted) pausing.reset(milliseconds);
  }

  function start(): void {
    if (stopping.signal.aborted || pausing.isSet) return;
    running ??= run()
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        onFailure(error);
        pause(pauseAfterFailure);
      })
      .finally(() => {
        running = undefined;
        if (isWoken) start();
      });
  }

  return {
    wake() {
      isWoken = true;
      start();
    },
    hurry() {
      pausing.clear();
      isWoken = true;
      start();
    },
    async close() {
      stopping.abort();
      pausing.clear();
      await running;
    },
  };
}
