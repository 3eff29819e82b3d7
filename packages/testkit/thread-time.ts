/**
 * Milliseconds that this thread has computed. Unlike a clock it stands still while others have the processor, so that a limit
 * on it says something of the code on a machine that is busy too.
 */
export function threadTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
