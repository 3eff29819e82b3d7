/**
 * Milliseconds that this thread has computed. Unlike a clock it stands still while others have the processor, or while something is
 * waited for.
 */
export function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
