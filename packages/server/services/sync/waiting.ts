/** Calls back after that many milliseconds, unless the function that it returns was called before. */
export type After = (milliseconds: number, callback: () => void) => () => void;

export const realTimers: After = (milliseconds, callback) => {
  const timer = setTimeout(callback, milliseconds);
  return () => clearTimeout(timer);
};

/** How a wait ended: something happened, the time was up, or nobody waits any more. */
export type Woken = 'changed' | 'timeout' | 'aborted';

export function waitForChange(
  { waiters }: { readonly waiters: Set<() => void> },
  milliseconds: number,
  signal: AbortSignal,
  after: After,
): Promise<Woken> {
  if (signal.aborted) return Promise.resolve('aborted');
  return new Promise((resolve) => {
    const end = (how: Woken) => {
      waiters.delete(onChange);
      cancel();
      signal.removeEventListener('abort', onAbort);
      resolve(how);
    };
    const onChange = () => end('changed');
    const onAbort = () => end('aborted');
    const cancel = after(milliseconds, () => end('timeout'));
    waiters.add(onChange);
    signal.addEventListener('abort', onAbort);
  });
}
