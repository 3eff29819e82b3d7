/** In so many pieces anything may come. */
const anyway = 1000;
/** And in so many more each second: who is slow, whatever the reason, is left alone. */
const eachSecond = 100;
/** Pieces of so many bytes on average may be as many as they like. */
const smallest = 256;

/**
 * Whether what has come so far came in more pieces than anybody needs. Each costs some microseconds and, where it is kept, some
 * hundred bytes, though it holds only one: a megabyte in pieces of one byte takes two seconds and half a gigabyte.
 */
export function hasTooManyPieces(pieces: number, bytes: number, milliseconds: number): boolean {
  return pieces > anyway + bytes / smallest + (milliseconds / 1000) * eachSecond;
}
