import { MatrixError } from '../../../errors/matrix-error.ts';
import type { Parameters } from '../../../services/oauth/parameters.ts';
import type { RawBody } from '../../bytes.ts';
import { readForm } from '../accounts/fallback/read-form.ts';
import { inItsWords } from './in-its-words.ts';

/** A form whose fields can be stored in either database. */
export async function readStorableForm(body: RawBody): Promise<URLSearchParams> {
  const form = await readForm(body);
  for (const value of form.values()) {
    if (value.includes('\0'))
      throw new MatrixError('request.invalid-param', { message: 'A field has a character that is none.' });
  }
  return form;
}

/**
 * > Parameters sent without a value MUST be treated as if they were omitted from the request. […] Request and response parameters
 * > MUST NOT be included more than once.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.2}
 */
export async function readParameters(body: RawBody): Promise<Parameters> {
  const parameters = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of await inItsWords('oauth.invalid-request', () => readForm(body))) {
    if (seen.has(name)) throw new MatrixError('oauth.invalid-request', { message: `Given twice: ${name}` });
    if (value.includes('\0')) throw new MatrixError('oauth.invalid-request');
    seen.add(name);
    if (value !== '') parameters.set(name, value);
  }
  return parameters;
}
