import { decodeBase64, parseVerifyKey, type ServerName, type SigningKey } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { FederationServices } from '../http/federation/index.ts';
import { createFederationClient, type FederationClient } from '../services/federation/client/federation-client.ts';
import { createDiscovery } from '../services/federation/discovery/discovery.ts';
import { createKeySource } from '../services/federation/keys/key-source.ts';
import { createKnownKeys, type KeyRing } from '../services/federation/keys/known-keys.ts';
import { createNotary } from '../services/federation/keys/notary.ts';
import { createOwnKeys } from '../services/federation/keys/own-keys.ts';
import { createServerKeys, type ServerKeys } from '../services/federation/keys/server-keys.ts';
import { createVerifyEvents, type VerifyEvents } from '../services/federation/keys/verify-events.ts';
import { createRequestSigner } from '../services/federation/signing/sign-request.ts';
import { createIdentityClient, type IdentityClient } from '../services/identity/identity-client.ts';
import { createRequestAuth, type RequestAuth } from '../services/federation/signing/request-auth.ts';
import { type Network, createSystemNetwork } from '../services/outbound/network.ts';
import { createOutbound, type Outbound } from '../services/outbound/outbound.ts';

type Context = {
  readonly config: Config;
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly db: Database;
  readonly log: Logger;
  readonly metrics: Metrics | undefined;
  readonly now: () => number;
  readonly network: Network | undefined;
};

/** How this server reaches others, and how they prove who they are. */
export type Federation = {
  readonly outbound: Outbound;
  readonly client: FederationClient;
  readonly identity: IdentityClient;
  readonly keys: ServerKeys;
  readonly verifyEvents: VerifyEvents;
  readonly requestAuth: RequestAuth;
  /** What the endpoints for other servers are made of. */
  readonly services: FederationServices;
  readonly close: () => Promise<void>;
};

export const program = { name: 'Portico', version: '0.1.0' };

function ownRing(key: SigningKey, oldKeys: Config['federation']['oldKeys']): KeyRing {
  const published = [
    { id: key.keyId, publicKey: key.publicKey, validity: { validUntilTs: Number.MAX_SAFE_INTEGER } },
    ...oldKeys.map(({ id, key: publicKey, expired_ts: expiredTs }) => ({ id, publicKey, validity: { expiredTs } })),
  ];
  const entries = published.flatMap(({ id, publicKey, validity }) => {
    const parsed = parseVerifyKey(decodeBase64(publicKey) ?? new Uint8Array());
    return parsed === undefined ? [] : [[id, { key: parsed, ...validity }] as const];
  });
  return new Map(entries);
}

export function createFederation({ config, serverName, key, db, log, metrics, now, network }: Context): Federation {
  const { enabled, notaries, oldKeys } = config.federation;
  const watch = metrics?.watchCache;
  const machine = network ?? createSystemNetwork();
  const outbound = createOutbound({
    network: machine,
    allowPrivateAddresses: config.outbound.allowPrivateAddresses,
    trustedCaFile: config.outbound.trustedCaFile,
    userAgent: `${program.name}/${program.version}`,
    observe: metrics?.observeOutbound,
    watch,
  });
  const discovery = createDiscovery({ network: machine, outbound, now, random: Math.random, watch });
  const client = createFederationClient({ serverName, key, enabled, discovery, outbound });
  const known = createKnownKeys(db, now, watch);
  const keys = createServerKeys({
    serverName,
    ownKeys: ownRing(key, oldKeys),
    known,
    source: createKeySource({ client, log, now }),
    notaries,
    now,
    watch,
  });
  const ownKeys = createOwnKeys(
    serverName,
    key,
    oldKeys.map(({ id, key: publicKey, expired_ts: expiredTs }) => ({ keyId: id, publicKey, expiredTs })),
    now,
  );
  return {
    outbound,
    client,
    identity: createIdentityClient(outbound, createRequestSigner(serverName, key)),
    keys,
    verifyEvents: createVerifyEvents(keys, now),
    requestAuth: createRequestAuth({ serverName, keys, now }),
    services: { ownKeys, notary: createNotary({ db, serverName, key, ownKeys, keys }), program, now },
    async close() {
      known.close();
      await outbound.close();
    },
  };
}
