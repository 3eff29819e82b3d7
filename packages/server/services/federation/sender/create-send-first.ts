import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '@portico/storage';
import { findDestination } from '@portico/storage/stores/federation/federation-destinations.ts';
import { findLastUnsent } from '@portico/storage/stores/federation/federation-outgoing.ts';
import type { SendFirst } from '../rooms/send-first.ts';
import type { FederationSender } from './sender.ts';

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  readonly sender: Pick<FederationSender, 'tryNow'>;
  /** Milliseconds after which it is no longer waited for. */
  readonly patience?: number;
};

const usualPatience = 3000;
/** In milliseconds. Another process may be the one that sends, so that only the row says how far that is. */
const firstPause = 10;
const longestPause = 200;

export function createSendFirst({ db, serverName, sender, patience = usualPatience }: Dependencies): SendFirst {
  return async (host, roomId) => {
    const before = await findDestination(db, host);
    const last = await findLastUnsent(db, serverName, host, roomId, before?.position ?? 0);
    if (last === undefined) return;
    const failures = before?.failures ?? 0;
    if (failures > 0) sender.tryNow(host);
    let length = firstPause;
    for (let waited = 0; waited < patience; waited += length, length = Math.min(2 * length, longestPause)) {
      await pause(length, undefined, { ref: false });
      const row = await findDestination(db, host);
      if (row !== undefined && (row.position >= last || row.failures > failures)) return;
    }
  };
}
