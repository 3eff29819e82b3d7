import { createHash } from 'node:crypto';
import { encodeCanonical } from '@portico/protocol/json/canonical.ts';
import type { JsonObject } from '@portico/protocol';
import { type ClientMetadata, type GrantType, parseClientMetadata } from '@portico/protocol/oauth/client-metadata.ts';
import { createWriteSet, type Database } from '@portico/storage';
import { addOAuthClient, findOAuthClient } from '@portico/storage/stores/oauth/oauth-clients.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/** A program that logs people in: what it says about itself, which nobody has proved but for where it is led back to. */
export type OAuthClient = { readonly id: string; readonly metadata: ClientMetadata };

/** {@link https://spec.matrix.org/v1.19/client-server-api/#client-registration} */
export interface OAuthClients {
  /** `network`: where it is, as `networkKey` has it. Throws `oauth.invalid-redirect-uri` and `oauth.invalid-client-metadata`. */
  register(given: JsonObject, network: string): Promise<OAuthClient>;
  find(clientId: string): Promise<OAuthClient | undefined>;
  /** Throws `oauth.invalid-client`, and `oauth.unauthorized-client` where it has not registered for that. */
  require(clientId: string | undefined, grant: GrantType): Promise<OAuthClient>;
}

type Dependencies = { readonly db: Database; readonly now: () => number };

const day = 24 * 60 * 60 * 1000;

/** "Clients MUST perform a new client registration at the start of each authorisation flow", which takes minutes. */
const keptUnused = day;
/** When a client was used need not be known more exactly. */
const touchAfter = day / 24;

export function createOAuthClients({ db, now }: Dependencies): OAuthClients {
  async function find(clientId: string): Promise<OAuthClient | undefined> {
    const row = await findOAuthClient(db, clientId);
    return row === undefined ? undefined : { id: clientId, metadata: JSON.parse(row.metadata) as ClientMetadata };
  }

  return {
    find,
    async register(given, network) {
      const decision = parseClientMetadata(given);
      if (decision.kind === 'refused') throw refusalOf(decision.rule);
      const { metadata } = decision;
      const text = encodeCanonical(metadata);
      // "This can be mitigated by de-duplicating client registrations that have identical metadata."
      const id = createHash('sha256').update(text).digest('base64url');
      const known = await findOAuthClient(db, id);
      // Whoever has registered it elsewhere as well is not to have it forgotten.
      if (known === undefined || known.used_at < now() - touchAfter || known.network !== network) {
        const set = createWriteSet();
        addOAuthClient(set, { client_id: id, metadata: text, used_at: now(), network }, now() - keptUnused);
        await db.commit(set);
      }
      return { id, metadata };
    },
    async require(clientId, grant) {
      const client = clientId === undefined ? undefined : await find(clientId);
      if (client === undefined) throw new MatrixError('oauth.invalid-client');
      if (!client.metadata.grant_types.includes(grant)) throw new MatrixError('oauth.unauthorized-client');
      return client;
    },
  };
}

function refusalOf(rule: string): MatrixError {
  const isAboutRedirects = rule.startsWith('redirect_uri');
  const reason = isAboutRedirects ? 'oauth.invalid-redirect-uri' : 'oauth.invalid-client-metadata';
  return new MatrixError(reason, { message: `A client cannot be registered with this: ${rule}` });
}
