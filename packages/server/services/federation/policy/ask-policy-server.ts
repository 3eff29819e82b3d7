import type { JsonObject, ServerName } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { askPolicyServerToSign } from '../../../federation-api/policy.ts';
import { createSmallCache } from '../../reading/small-cache.ts';
import type { AskPolicyServer } from '../../rooms/policy/room-policy.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError, type Refusal } from '../client/federation-error.ts';
import { toldCode } from '../client/told-code.ts';

type Dependencies = { readonly client: FederationClient; readonly now: () => number };

/** How long, in milliseconds, a policy server that did not answer is not asked again: all of a room waits for it. */
const rest = 30_000;
const mostRemembered = 1000;
const longestWords = 1000;

export function createAskPolicyServer({ client, now }: Dependencies): AskPolicyServer {
  const restUntil = createSmallCache<string, number>(mostRemembered);

  /** A second time where the connection that was kept is gone: a signature may be asked for as often as one likes. */
  async function ask(server: ServerName, pdu: JsonObject, isLast = false): Promise<JsonObject> {
    try {
      return await client.call(askPolicyServerToSign, server, { body: pdu });
    } catch (error) {
      if (isLast || !(error instanceof FederationError) || error.failure !== 'broken') throw error;
      return ask(server, pdu, true);
    }
  }

  return async (server, pdu) => {
    if ((restUntil.get(server) ?? 0) > now()) throw new MatrixError('policy.unavailable');
    try {
      return await ask(server, pdu);
    } catch (error) {
      if (!(error instanceof FederationError)) throw error;
      if (error.refusal !== undefined && error.refusal.status < serverErrors) throw refusalOf(error.refusal);
      if (error.failure !== 'disabled' && error.failure !== 'busy') restUntil.set(server, now() + rest);
      throw new MatrixError('policy.unavailable');
    }
  };
}

const serverErrors = 500;

/** In milliseconds. Clients hold back whatever else is to be sent, of all rooms, for as long as they are told. */
const longestPatience = 60_000;

/**
 * "If the Policy Server returned an error, that error SHOULD be provided to the client verbatim": but for what would change
 * how the client stands with its own server.
 */
function refusalOf({ errcode, error, retryAfter }: Refusal): MatrixError {
  const message = error?.slice(0, longestWords);
  if (errcode === 'M_LIMIT_EXCEEDED') {
    const fields = { retry_after_ms: Math.min(retryAfter ?? 1000, longestPatience) };
    return new MatrixError('request.limit-exceeded', { ...(message !== undefined && { message }), fields });
  }
  const told = toldCode(errcode);
  const fields = told === undefined ? {} : { errcode: told };
  return new MatrixError('policy.refused', { ...(message !== undefined && { message }), fields });
}
