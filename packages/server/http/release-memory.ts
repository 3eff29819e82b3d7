/** Less is in pools that several buffers share, and not worth the call. */
const worthIt = 8192;

/**
 * Gives the memory of a buffer back now: nobody may look at it any more. Left to the garbage collector, every few
 * megabytes of bodies make it go through the whole heap, which costs more than all the rest of sending them.
 */
export function releaseMemory({ buffer, byteLength }: Buffer): void {
  if (byteLength < worthIt || buffer.byteLength !== byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}
