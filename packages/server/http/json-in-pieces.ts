import { Readable } from 'node:stream';
import { byteStream, type ByteStream } from './bytes.ts';
import { rawJson, type RawJson } from './result.ts';

/** A response of JSON text that may be too long to be held at once: what is short is sent as any other. */
export async function jsonInPieces(given: AsyncGenerator<string>): Promise<RawJson | ByteStream> {
  const pieces = together(given);
  const first = await pieces.next();
  const second = await pieces.next();
  if (second.done === true) return rawJson(first.done === true ? '' : first.value);
  async function* all(): AsyncGenerator<Buffer> {
    for (const piece of [first, second]) if (piece.done !== true) yield Buffer.from(piece.value);
    for await (const piece of pieces) yield Buffer.from(piece);
  }
  return byteStream({ headers: { 'Content-Type': 'application/json' }, open: () => Readable.from(all()) });
}

/** Characters of a text that is sent at once. */
const longEnough = 65_536;

/** Short pieces with those after them. */
async function* together(pieces: AsyncGenerator<string>): AsyncGenerator<string> {
  let text = '';
  for await (const piece of pieces) {
    text += piece;
    if (text.length < longEnough) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
