import { MatrixError } from '../../errors/matrix-error.ts';
import type { TokenAnswer } from './open-session.ts';
import { type Parameters, requireParameter } from './parameters.ts';

type Redeem = (parameters: Parameters) => Promise<TokenAnswer>;

/** Each way to get tokens, by what clients call it. */
export type Grants = ReadonlyMap<string, Redeem>;

/** Gives tokens to clients. Throws what OAuth 2.0 has a code for. */
export function createTokens(grants: Grants): Redeem {
  return async (parameters) => {
    const redeem = grants.get(requireParameter(parameters, 'grant_type'));
    if (redeem === undefined) throw new MatrixError('oauth.unsupported-grant-type');
    return redeem(parameters);
  };
}
