/** Renews a lease again and again while some work goes on, and is done with that once the work is. */
export async function keepLease<T>(renew: () => Promise<void>, every: number, work: () => Promise<T>): Promise<T> {
  let renewing: Promise<void> | undefined;
  const timer = setInterval(() => {
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
  }, every).unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    await renewing;
  }
}
