import { MatrixError } from '../../errors/matrix-error.ts';

/** What a client has sent, each once and none empty. */
export type Parameters = ReadonlyMap<string, string>;

export function requireParameter(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined) throw new MatrixError('oauth.invalid-request', { message: `Missing: ${name}` });
  return value;
}
