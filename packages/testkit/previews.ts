import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { createTestWeb } from './web.ts';
import { openFileStore } from '@portico/server/services/media/file-store.ts';
import type { Network } from '@portico/server/services/outbound/network.ts';
import { createOutbound } from '@portico/server/services/outbound/outbound.ts';
import { createCheckAddress, type HostRules } from '@portico/server/services/previews/address.ts';
import { createFetchForPreview } from '@portico/server/services/previews/fetch-for-preview.ts';
import { createPageReader } from '@portico/server/services/previews/html/page-reader.ts';
import { createMakePreview } from '@portico/server/services/previews/make-preview.ts';
import { createUrlPreviews } from '@portico/server/services/previews/url-previews.ts';

type Options = {
  readonly network?: Network;
  readonly rules?: Partial<HostRules>;
  readonly now?: () => number;
  /** Milliseconds for a page. */
  readonly timeout?: number;
};

/** Previews as the program makes them, in a network of the test. */
export async function openPreviews(db: Database, context: TestContext, options: Options = {}) {
  const { network = createTestWeb(), rules, now = Date.now, timeout = 10_000 } = options;
  const serverName = parseServerName('here.example');
  if (serverName === undefined) throw new Error('No server name');
  const folder = mkdtempSync(join(tmpdir(), 'portico-previews-'));
  const store = await openFileStore({ folder, sync: false, randomBytes });
  const log = { debug: () => undefined };
  const outbound = createOutbound({
    network,
    allowPrivateAddresses: false,
    trustedCaFile: undefined,
    userAgent: 'Portico/test',
  });
  const check = createCheckAddress({ allow: [], deny: [], ...rules });
  const fetch = createFetchForPreview({ outbound, check, acceptLanguage: 'de, en;q=0.5', timeout });
  const pages = createPageReader({ log });
  const grown: number[] = [];
  const previews = createUrlPreviews({
    db,
    store,
    serverName,
    check,
    make: createMakePreview({ fetch, pages, log }),
    onGrown: (bytes) => grown.push(bytes),
    now,
    randomBytes,
    log,
  });
  context.after(async () => {
    await previews.close();
    await pages.close();
    await outbound.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { previews, store, grown, find: (url: string) => previews.find('@alice:here.example', url) };
}
