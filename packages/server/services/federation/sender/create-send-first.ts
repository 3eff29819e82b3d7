import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '@portico/storage';
import { findDestination } from '@portico/storage/stores/federation/federation-destinations.ts';
import { findLastUnsent } from '@portico/storage/stores/federation/federation-outgoing.ts';
import type { BeginSendFirst } from '../rooms/send-first.ts';
import type { FederationSender } from './sender.ts';

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  readonly sender: Pick<FederationSender, 'tryNow'>;
  /** Milliseconds after which a server is no longer waited for, and all that are asked for one request. */
  readonly patience?: { readonly each: number; readonly all: number };
};

const usualPatience = { each: 3000, all: 5000 };
/** In milliseconds. Another process may be the one that sends, so that only the row says how far that is. */
const firstPause = 10;
const longestPause = 200;

export function createSendFirst({ db, serverName, sender, patience = usualPatience }: Dependencies): BeginSendFirst {
  return () => {
    let left = patience.all;
    return async (host, roomId) => {
      if (left <= 0) return;
      const before = await findDestination(db, host);
      const last = await findLastUnsent(db, serverName, host, roomId, before?.position ?? 0);
      if (last === undefined) return;
      const failures = before?.failures ?? 0;
      if (failures > 0) sender.tryNow(host);
      const end = Math.max(0, left - patience.each);
      for (let length = firstPause; left > end; length = Math.min(2 * length, longestPause)) {
        await pause(length, undefined, { ref: false });
        left -= length;
        const row = await findDestination(db, host);
        if (row !== undefined && (row.position >= last || row.failures > failures)) return;
      }
    };
  };
}
