import type { Database } from '@portico/storage';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Outbound } from '../services/outbound/outbound.ts';
import type { PushedPeople } from '../services/push/pushed-people.ts';
import { createDeliver } from '../services/push/sender/deliver.ts';
import { createGateway } from '../services/push/sender/gateway.ts';
import { createPushNames } from '../services/push/sender/push-names.ts';
import { createPushSender, type PushSender } from '../services/push/sender/push-sender.ts';
import type { ReadingContext } from '../services/reading/context.ts';
import { realTimers } from '../services/sync/waiting.ts';

type Context = {
  readonly db: Database;
  readonly reading: ReadingContext;
  readonly people: PushedPeople;
  readonly outbound: Outbound;
  readonly metrics: Metrics | undefined;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomId: () => string;
};

/** What tells people's devices of what happens. */
export function createPush({ db, reading, people, outbound, metrics, log, now, randomId }: Context): PushSender {
  const { ignored, inviteRules, erasedSenders } = reading;
  // On SQLite one process owns the data folder.
  const isShared = db.kind !== 'sqlite';
  const process = isShared ? randomId() : 'only';
  const deliver = createDeliver({
    db,
    ignored,
    inviteRules,
    erasedSenders,
    gateway: createGateway(outbound),
    names: createPushNames(db),
    process,
    isShared,
    log,
    now,
    random: Math.random,
    observe: metrics?.push.observe,
  });
  const sender = createPushSender({ db, deliver, people, process, isShared, now, after: realTimers, log });
  metrics?.push.watch({ queued: sender.queued, people: () => people.size });
  return sender;
}
