import { randomBytes } from 'node:crypto';
import type { ServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import type { WatchCache } from '../observability/cache-metrics.ts';
import type { Logger } from '../observability/logger.ts';
import type { ContentStore } from '../services/media/content-store.ts';
import type { Outbound } from '../services/outbound/outbound.ts';
import { createCheckAddress } from '../services/previews/address.ts';
import { createFetchForPreview } from '../services/previews/fetch-for-preview.ts';
import { createMakePreview } from '../services/previews/make-preview.ts';
import { createPageReader } from '../services/previews/html/page-reader.ts';
import { createUrlPreviews } from '../services/previews/url-previews.ts';
import { realTimers } from '../services/sync/waiting.ts';
import { startPreviewSweep } from '../services/previews/sweep-previews.ts';

export type PreviewContext = {
  readonly config: Config;
  readonly db: Database;
  readonly store: ContentStore;
  readonly serverName: ServerName;
  readonly federation: { readonly outbound: Outbound };
  readonly now: () => number;
  readonly log: Logger;
  readonly watch: WatchCache | undefined;
};

/** Milliseconds for a page, and again for its image. */
const timeout = 10_000;

/** Previews of pages; what they store is told to the cache of what others have. */
export function createPreviewParts(context: PreviewContext, onGrown: (bytes: number) => void) {
  const { config, db, store, serverName, federation, now, log, watch } = context;
  const { allowHosts, denyHosts, acceptLanguage } = config.urlPreviews;
  const check = createCheckAddress({ allow: allowHosts, deny: denyHosts });
  const fetch = createFetchForPreview({
    outbound: federation.outbound,
    check,
    acceptLanguage,
    timeout,
  });
  const pages = createPageReader({ log, watch });
  const make = createMakePreview({ fetch, pages, log });
  const urlPreviews = createUrlPreviews({ db, store, serverName, check, make, onGrown, now, randomBytes, log, watch });
  const sweep = startPreviewSweep({ db, store, now, after: realTimers, log });
  return {
    urlPreviews,
    async close() {
      await Promise.all([urlPreviews.close(), sweep.close()]);
      await pages.close();
    },
  };
}
