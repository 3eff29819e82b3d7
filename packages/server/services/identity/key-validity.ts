import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { offeredKeys } from '@portico/protocol/auth/third-party-invite-keys.ts';
import { findSigningKey } from '@portico/protocol/auth/third-party-invite-signature.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { fetchUrl } from '../outbound/fetch-url.ts';
import { OutboundError } from '../outbound/outbound-error.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { readAll } from '../outbound/read-body.ts';

/** Throws where the key that an identity server has signed an invitation by has been revoked, or may have been. */
export type RequireValidKey = (offer: JsonObject, signed: JsonObject) => Promise<void>;

const answerLimit = 64 * 1024;
const timeout = 10_000;

/**
 * > the server which is already participating in the room […] MUST validate that the public key used for signing is still
 * > valid, by checking `key_validity_url`
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#third-party-invites}
 *
 * What is signed by none of the keys that were offered is for the room's rules to refuse.
 */
export function createRequireValidKey(outbound: Outbound): RequireValidKey {
  async function isValid(validityUrl: string, publicKey: string): Promise<boolean> {
    const url = URL.parse(validityUrl);
    if (url === null) return false;
    url.searchParams.set('public_key', publicKey);
    const { chunks } = await fetchUrl(outbound, url.href, { answerLimit, timeout, purpose: 'identity-key' });
    return saysValid((await readAll(chunks)).toString('utf8'));
  }

  return async (offer, signed) => {
    const key = findSigningKey(signed, offeredKeys(offer));
    if (key?.validityUrl === undefined) return;
    try {
      if (await isValid(key.validityUrl, key.publicKey)) return;
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      const message = 'The identity server does not say whether its key is still valid.';
      throw new MatrixError('federation.failed', { message });
    }
    throw new MatrixError('forbidden', { message: 'The key that the invitation is signed by is not valid any more.' });
  };
}

/** "a JSON object containing a boolean property named `valid`" */
function saysValid(text: string): boolean {
  try {
    const value = parseJson(text);
    return isJsonObject(value) && value['valid'] === true;
  } catch {
    return false;
  }
}
