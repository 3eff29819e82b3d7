import { OutboundError } from '../../outbound/outbound-error.ts';

/** The second part of a file as servers give it: with its headers, lower-case, and its bytes as they come. */
export type FilePart = { readonly headers: ReadonlyMap<string, string>; readonly chunks: AsyncIterable<Uint8Array> };

/** Of both parts' headers, and of the object in the first part. */
const mostHead = 64 * 1024;

export function boundaryOf(contentType: string | undefined): string | undefined {
  const [, parameters = ''] = /^\s*multipart\/mixed\s*;(.*)$/is.exec(contentType ?? '') ?? [];
  const [, quoted, plain] = /(?:^|;)\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(parameters) ?? [];
  return quoted ?? plain;
}

/**
 * Reads a `multipart/mixed` body up to its second part. What is not whole fails like an answer that breaks off.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid}
 */
export async function readFilePart(body: AsyncIterable<Uint8Array>, boundary: string): Promise<FilePart> {
  const chunks = body[Symbol.asyncIterator]();
  let buffer = Buffer.alloc(0);

  async function more(): Promise<void> {
    const { done, value } = await chunks.next();
    if (done === true) throw broken();
    buffer = Buffer.concat([buffer, value]);
  }

  async function skipPast(mark: string): Promise<Buffer> {
    for (;;) {
      const at = buffer.indexOf(mark);
      if (at !== -1) {
        const passed = buffer.subarray(0, at);
        buffer = buffer.subarray(at + mark.length);
        return passed;
      }
      if (buffer.length > mostHead) throw broken();
      await more();
    }
  }

  try {
    return await findFile();
  } catch (error) {
    // Nobody reads the rest of it.
    await chunks.return?.();
    throw error;
  }

  async function findFile(): Promise<FilePart> {
    await skipPast(`--${boundary}`);
    await skipPast(`\r\n--${boundary}`);
    await skipPast('\r\n');
    while (buffer.length < 2) await more();
    // A part without headers begins with its empty line.
    const head = buffer.subarray(0, 2).equals(Buffer.from('\r\n'))
      ? (await skipPast('\r\n'), Buffer.alloc(0))
      : await skipPast('\r\n\r\n');
    return { headers: parseHeaders(head.toString('utf8')), chunks: upTo(`\r\n--${boundary}`) };
  }

  /** A mark can be cut in two: as many bytes as may be the beginning of one are kept for the next chunk. */
  async function* upTo(mark: string): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const at = buffer.indexOf(mark);
        if (at !== -1) {
          if (at > 0) yield buffer.subarray(0, at);
          return;
        }
        const sure = buffer.length - mark.length + 1;
        if (sure > 0) {
          yield buffer.subarray(0, sure);
          buffer = buffer.subarray(sure);
        }
        await more();
      }
    } finally {
      await chunks.return?.();
    }
  }
}

function broken(): OutboundError {
  return new OutboundError('broken', 'The answer is no whole multipart body');
}

function parseHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}
