import { OutboundError } from './outbound-error.ts';

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

/** The bytes of an answer as they come; fails at the first one that is too much. */
export async function* limited(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > limit) throw new OutboundError('too-large', `The answer is longer than the ${limit} bytes read`);
    yield chunk;
  }
}

export async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}
