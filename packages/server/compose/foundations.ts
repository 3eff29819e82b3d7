import { parseServerName, type ServerName, type SigningKey, signingKeyFromSeed } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { openStateStore, type StateStore } from '@portico/storage/state-trie/index.ts';
import type { Network } from '../services/outbound/network.ts';
import type { CompositionContext } from '../process/composition.ts';
import { createRateLimiter, type RateLimiter } from '../services/rate-limit/rate-limiter.ts';
import { createFederation, type Federation } from './federation.ts';
import { openConfiguredDatabase } from './open-database.ts';
import { createServerReads, type ServerReads } from './server-reads.ts';

/** What everything else stands on: who this server is, what it keeps, and how it reaches others. */
export type Foundations = {
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly db: Database;
  readonly states: StateStore;
  readonly federation: Federation;
  /** Absent where this server does not federate. */
  readonly reads: ServerReads | undefined;
  readonly rateLimiter: RateLimiter;
};

type Context = Pick<CompositionContext, 'config' | 'log' | 'metrics' | 'signingKey' | 'testing'> & {
  readonly network: Network | undefined;
  readonly now: () => number;
};

/** Memory for nodes of room states, in bytes. */
const stateCacheBytes = 32 * 1024 * 1024;

/** Throws `StartError` where the database cannot be opened. */
export async function openFoundations(context: Context): Promise<Foundations> {
  const { config, log, metrics, signingKey, testing, network, now } = context;
  const serverName = parseServerName(config.serverName);
  if (serverName === undefined) throw new Error(`${config.serverName} passed for a server name in the configuration`);
  const db = await openConfiguredDatabase({ config, metrics, log });
  const key = signingKeyFromSeed(`ed25519:${signingKey.version}`, signingKey.seed);
  const federation = createFederation({ config, serverName, key, db, log, metrics, now, network });
  return {
    serverName,
    key,
    db,
    federation,
    reads: config.federation.enabled ? createServerReads({ client: federation.client, now }) : undefined,
    states: await openStateStore(db, { cacheBytes: stateCacheBytes }),
    rateLimiter: createRateLimiter({
      enabled: config.rateLimits.enabled,
      now: testing?.now ?? (() => performance.now()),
    }),
  };
}
