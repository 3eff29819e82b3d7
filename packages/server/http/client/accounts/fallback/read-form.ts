import type { RawBody } from '../../../bytes.ts';
import { MatrixError } from '../../../../errors/matrix-error.ts';

const maxBytes = 16 * 1024;

/** The fields of a form, as browsers send them: `application/x-www-form-urlencoded`. */
export async function readForm(body: RawBody): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let length = 0;
  await body.read((chunk) => {
    length += chunk.length;
    if (length > maxBytes) throw new MatrixError('request.too-large');
    chunks.push(Buffer.from(chunk));
    return undefined;
  });
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
