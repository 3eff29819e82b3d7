import { type RawBody, readLimited } from '../../../bytes.ts';

const maxBytes = 16 * 1024;

/** The fields of a form, as browsers send them: `application/x-www-form-urlencoded`. */
export async function readForm(body: RawBody): Promise<URLSearchParams> {
  return new URLSearchParams((await readLimited(body, maxBytes)).toString('utf8'));
}
