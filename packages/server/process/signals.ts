const endingSignals = ['SIGTERM', 'SIGINT'] as const;

/** Calls `stop` at the first SIGTERM or SIGINT. A second one ends the process there and then. */
export function onEndingSignal(stop: (signal: string) => void): () => void {
  let asked = false;
  const listener = (signal: string) => {
    if (asked) process.exit(1);
    asked = true;
    stop(signal);
  };
  for (const signal of endingSignals) process.on(signal, listener);
  return () => {
    for (const signal of endingSignals) process.off(signal, listener);
  };
}

/** Calls `again` at each SIGHUP, which is how a service is asked to read its files again. */
export function onHangUp(again: () => void): () => void {
  process.on('SIGHUP', again);
  return () => void process.off('SIGHUP', again);
}
