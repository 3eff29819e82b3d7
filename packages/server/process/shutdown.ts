export type ShutdownLog = { error(fields: object, message: string): void };

/** What has to be put away when the process ends, in the reverse order of how it was made. */
export interface Shutdown {
  /** Aborted as soon as the process is asked to end: whoever waits for something answers at once. */
  readonly signal: AbortSignal;
  add(name: string, close: () => void | Promise<void>): void;
  /** Closes everything, each thing once, the newest first; one that fails does not keep the others open. */
  readonly run: () => Promise<void>;
}

export function createShutdown(log: ShutdownLog): Shutdown {
  const controller = new AbortController();
  const steps: { name: string; close: () => void | Promise<void> }[] = [];
  let running: Promise<void> | undefined;

  const closeAll = async () => {
    controller.abort();
    for (let step = steps.pop(); step; step = steps.pop()) {
      try {
        await step.close();
      } catch (error) {
        log.error({ err: error, step: step.name }, 'closing failed');
      }
    }
  };

  return {
    signal: controller.signal,
    add: (name, close) => void steps.push({ name, close }),
    run: () => (running ??= closeAll()),
  };
}
