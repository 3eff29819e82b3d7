import { hasTooManyPieces } from '../body-pieces.ts';
import { OutboundError } from './outbound-error.ts';

/** Bytes for which there is room at first. */
const smallest = 4096;

export type AnswerHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export function headerText(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : value?.join(', ');
}

/**
 * Refuses beforehand what says that it is too long, and what is packed: we ask for neither, and a few bytes can unpack to
 * any number of them.
 */
export function checkLength(headers: AnswerHeaders, limit: number): void {
  const encoding = headerText(headers, 'content-encoding');
  if (encoding !== undefined && encoding.trim() !== '' && encoding.toLowerCase() !== 'identity') {
    throw new OutboundError('too-large', `The answer is packed as ${encoding}, which was not asked for`);
  }
  const length = Number(headerText(headers, 'content-length'));
  if (length > limit) throw new OutboundError('too-large', `The answer has ${length} bytes; ${limit} are read at most`);
}

/** The bytes of an answer as they come; fails at the first one that is too much, or where they come in too many pieces. */
export async function* limited(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const began = performance.now();
  let [length, pieces] = [0, 0];
  for await (const chunk of chunks) {
    length += chunk.length;
    pieces += 1;
    if (hasTooManyPieces(pieces, length, performance.now() - began))
      throw new OutboundError(
        'too-large',
        `The answer comes in pieces that are too small: ${pieces} for ${length} bytes`,
      );
    if (length > limit) throw new OutboundError('too-large', `The answer is longer than the ${limit} bytes read`);
    yield chunk;
  }
}

/** Copies what comes: each piece would take a few hundred bytes for itself, and may hold only one. */
export async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  let read = Buffer.allocUnsafe(smallest);
  let length = 0;
  for await (const chunk of chunks) {
    const end = length + chunk.length;
    if (end > read.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, 2 * read.length));
      read.copy(larger, 0, 0, length);
      read = larger;
    }
    read.set(chunk, length);
    length = end;
  }
  return read.subarray(0, length);
}
