import { MatrixError } from '../../../errors/matrix-error.ts';
import { maxContent } from '../../../services/rendezvous/limits.ts';
import { type RawBody, readLimited } from '../../bytes.ts';

/** A message as devices send it: text, and short. */
export async function readMessage(body: RawBody): Promise<string> {
  if (!/^text\/plain\s*(?:;|$)/i.test(body.contentType ?? '')) {
    throw new MatrixError('request.invalid-param', { message: 'The content type has to be text/plain.' });
  }
  return toText(await readLimited(body, maxContent));
}

function toText(bytes: Buffer): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  // What is no UTF-8 would come out as something else; one of the databases has no place for NUL.
  if (Buffer.byteLength(text) === bytes.length && !text.includes('\0') && Buffer.from(text).equals(bytes)) return text;
  throw new MatrixError('request.invalid-param', { message: 'A message is text in UTF-8.' });
}

/**
 * "the server SHOULD inspect the `Sec-Fetch-*` Fetch Metadata Request Headers to identify top-level navigation requests and
 * return a `403`": anybody may leave something there, which is not to look as if it was the server's.
 */
export function refuseNavigation(isNavigation: boolean): void {
  if (isNavigation) throw new MatrixError('rendezvous.not-shown');
}
