import { Readable } from 'node:stream';
import { bytes, type Bytes, type ByteRange } from '../../bytes.ts';

/**
 * A file as servers give it to each other: behind an object that says nothing yet.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid}
 */
export function multipart(file: Bytes): Bytes {
  // Files are named by their hashes: nobody can write one that holds the boundary made of it.
  const boundary = `portico-${file.tag}`;
  const { 'Content-Type': type = '', 'Content-Disposition': disposition = '' } = file.headers;
  const before = Buffer.from(
    `--${boundary}\r\nContent-Type: application/json\r\n\r\n{}\r\n--${boundary}\r\n` +
      `Content-Type: ${type}\r\nContent-Disposition: ${disposition}\r\n\r\n`,
  );
  const after = Buffer.from(`\r\n--${boundary}--\r\n`);
  const size = before.length + file.size + after.length;
  return bytes({
    size,
    tag: `multipart-${file.tag}`,
    headers: {
      ...file.headers,
      'Content-Type': `multipart/mixed; boundary=${boundary}`,
      'Content-Disposition': 'inline',
    },
    open: async (range = { start: 0, end: size - 1 }) => Readable.from(parts(file, before, after, range)),
  });
}

/** What of a range lies in a part that begins at a place. */
function within({ start, end }: ByteRange, offset: number, length: number): ByteRange | undefined {
  const part = { start: Math.max(start - offset, 0), end: Math.min(end - offset, length - 1) };
  return part.start <= part.end ? part : undefined;
}

async function* parts(file: Bytes, before: Buffer, after: Buffer, range: ByteRange): AsyncGenerator<Buffer> {
  const head = within(range, 0, before.length);
  if (head !== undefined) yield before.subarray(head.start, head.end + 1);
  const body = within(range, before.length, file.size);
  if (body !== undefined) yield* (await file.open(body)) as AsyncIterable<Buffer>;
  const tail = within(range, before.length + file.size, after.length);
  if (tail !== undefined) yield after.subarray(tail.start, tail.end + 1);
}
