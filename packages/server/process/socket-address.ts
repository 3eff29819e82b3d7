import { closeSync, existsSync, openSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What fits into the address of a Unix socket, on the systems that allow the least. */
const longestAddress = 103;

/**
 * The path of the command socket in a data folder. One that is too long for a socket address is shortened through the
 * current directory, or through a descriptor of the folder where the system lists those as paths.
 */
export function socketAddress(dataDir: string): { path: string; close(): void } {
  const absolute = join(dataDir, 'portico.sock');
  const candidates = [absolute, relative(process.cwd(), absolute)];
  const short = candidates.find((path) => Buffer.byteLength(path) <= longestAddress);
  if (short !== undefined || !existsSync('/proc/self/fd') || !existsSync(dataDir)) {
    return { path: short ?? absolute, close: () => undefined };
  }
  const folder = openSync(dataDir, 'r');
  return { path: `/proc/self/fd/${folder}/portico.sock`, close: () => closeSync(folder) };
}
