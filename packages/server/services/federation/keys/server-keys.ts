import { parseServerName, type ServerName } from '@portico/protocol';
import type { WatchCache } from '../../../observability/cache-metrics.ts';
import { createFetchLimits, type KeyFetch } from './fetch-limits.ts';
import type { KeySource } from './key-source.ts';
import { isKeyCurrent, type KeyRing, type KnownKeys } from './known-keys.ts';
import type { WantedKeys } from './wanted-keys.ts';

/** Keys of servers, this one included. Whoever asks gets what is known in the end; that may lack what was wanted. */
export interface ServerKeys {
  find(wanted: WantedKeys, options?: FindOptions): Promise<ReadonlyMap<string, KeyRing>>;
  /** Sees to it, as far as possible, that some key of each server is known which is valid until then. */
  refresh(serverNames: readonly string[], validUntil: number, on: OnBehalf): Promise<void>;
}

/** Who makes this server ask others, and for how many milliseconds they wait for their turn. */
export type OnBehalf = Pick<KeyFetch, 'owner' | 'patience'>;
type FindOptions = { readonly mayAskNotaries?: boolean; readonly on?: OnBehalf };

/** What this server does itself may take its time: a room is entered that has people of hundreds of servers. */
const onOurOwn: OnBehalf = { owner: '', patience: 5 * 60_000 };

type Dependencies = {
  readonly serverName: ServerName;
  readonly ownKeys: KeyRing;
  readonly known: KnownKeys;
  readonly source: KeySource;
  /** In the order in which they are asked. */
  readonly notaries: readonly ServerName[];
  readonly now: () => number;
  readonly watch?: WatchCache | undefined;
};

function missingOf(ring: KeyRing | undefined, wanted: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const missing = new Map<string, number>();
  for (const [keyId, validUntil] of wanted) {
    const key = ring?.get(keyId);
    const suffices = key !== undefined && (key.expiredTs !== undefined || (key.validUntilTs ?? 0) >= validUntil);
    if (!suffices) missing.set(keyId, validUntil);
  }
  return missing;
}

function hasKeys(rings: ReadonlyMap<string, KeyRing>, name: string): boolean {
  return (rings.get(name)?.size ?? 0) > 0;
}

export function createServerKeys(dependencies: Dependencies): ServerKeys {
  const { serverName, ownKeys, known, source, notaries, now } = dependencies;
  const limits = createFetchLimits(now);
  dependencies.watch?.('server_key_fetches', { size: () => limits.waiting, limit: () => limits.mostWaiting });

  function fetchFrom(name: string, how: KeyFetch): Promise<void> {
    const server = parseServerName(name);
    if (server === undefined || server === serverName) return Promise.resolve();
    return limits.run(server, how, async () => {
      const fetched = await source.fetch(server);
      if (fetched !== undefined) await known.store([fetched]);
      return fetched !== undefined;
    });
  }

  type Missing = { readonly missing: WantedKeys; readonly isKnown: (name: string) => boolean };

  async function findMissing(wanted: WantedKeys): Promise<Missing> {
    const rings = await known.load([...wanted.keys()]);
    const missing = new Map<string, ReadonlyMap<string, number>>();
    for (const [name, keys] of wanted) {
      if (name === serverName) continue;
      const ofServer = missingOf(rings.get(name), keys);
      if (ofServer.size > 0) missing.set(name, ofServer);
    }
    return { missing, isKnown: (name) => hasKeys(rings, name) };
  }

  async function askNotaries(wanted: WantedKeys): Promise<void> {
    let missing = wanted;
    for (const notary of notaries) {
      if (missing.size === 0) return;
      await fetchFrom(notary, { ...onOurOwn, isKnown: true });
      const ring = (await known.load([notary])).get(notary);
      const fetched = ring === undefined ? [] : await source.fetchFromNotary(notary, ring, missing);
      await known.store(fetched);
      ({ missing } = await findMissing(missing));
    }
  }

  return {
    async find(wanted, { mayAskNotaries = true, on = onOurOwn } = {}) {
      const { missing: first, isKnown } = await findMissing(wanted);
      if (first.size > 0) {
        await Promise.all([...first.keys()].map((name) => fetchFrom(name, { ...on, isKnown: isKnown(name) })));
        const { missing } = await findMissing(first);
        if (missing.size > 0 && mayAskNotaries) await askNotaries(missing);
      }
      const rings = new Map(await known.load([...wanted.keys()].filter((name) => name !== serverName)));
      return wanted.has(serverName) ? rings.set(serverName, ownKeys) : rings;
    },
    async refresh(serverNames, validUntil, on) {
      const rings = await known.load(serverNames);
      const stale = serverNames.filter((name) => {
        const keys = rings.get(name)?.values() ?? [];
        return ![...keys].some((key) => isKeyCurrent(key, validUntil));
      });
      await Promise.all(stale.map((name) => fetchFrom(name, { ...on, isKnown: hasKeys(rings, name) })));
    },
  };
}
