/** What comes of work that cannot be given up itself, or a failure when the signal comes first. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, failure: () => Error): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(failure());
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
