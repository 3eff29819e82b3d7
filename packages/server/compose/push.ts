import type { Database } from '@portico/storage';
import type { DeliveryRow } from '@portico/storage/stores/push/push-deliveries.ts';
import type { Config } from '../config/config.ts';
import type { Mailer } from '../services/mail/mailer.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Outbound } from '../services/outbound/outbound.ts';
import type { PushedPeople } from '../services/push/pushed-people.ts';
import { createDeliverMail } from '../services/push/sender/deliver-mail.ts';
import { createDeliver, type Deliver, gatewayUrlOf } from '../services/push/sender/deliver.ts';
import { createGateway } from '../services/push/sender/gateway.ts';
import { createPushNames } from '../services/push/sender/push-names.ts';
import { createLedger } from '../services/push/sender/ledger.ts';
import { createNotifications, type Notifications } from '../services/push/notifications.ts';
import { createPushers, type Pushers } from '../services/push/pushers.ts';
import { createUnsubscribe, type Unsubscribe } from '../services/push/unsubscribe.ts';
import { createPushSender } from '../services/push/sender/push-sender.ts';
import type { ReadingContext } from '../services/reading/context.ts';
import type { ReadState } from '../services/rooms/read-state.ts';
import { realTimers } from '../services/sync/waiting.ts';
import { secretFor } from './secret-for.ts';

type Context = {
  readonly config: Pick<Config, 'serverName' | 'publicBaseUrl'>;
  readonly signingKey: { readonly seed: Uint8Array };
  readonly mailer: Mailer | undefined;
  readonly db: Database;
  readonly reading: ReadingContext;
  readonly readState: ReadState;
  readonly people: PushedPeople;
  readonly outbound: Outbound;
  readonly metrics: Metrics | undefined;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomId: () => string;
};

/** What tells people's devices of what happens. */
export type PushParts = {
  readonly services: {
    readonly pushers: Pushers;
    readonly notifications: Notifications;
    readonly unsubscribe: Unsubscribe;
  };
  close(): Promise<void>;
};

export function createPush(context: Context): PushParts {
  const { db, reading, readState, people, outbound, metrics, log, now, randomId, mailer, config, signingKey } = context;
  const { ignored, inviteRules, erasedSenders } = reading;
  // On SQLite one process owns the data folder.
  const isShared = db.kind !== 'sqlite';
  const process = isShared ? randomId() : 'only';
  const ledger = createLedger({ db, process, isShared, log, now, random: Math.random });
  const common = { db, ignored, inviteRules, erasedSenders, names: createPushNames(db), ledger, now };
  const secret = secretFor(signingKey, 'links that end email notifications');
  const unsubscribe = createUnsubscribe({ db, secret, publicBaseUrl: config.publicBaseUrl });
  const mail = mailer && createDeliverMail({ ...common, mailer, unsubscribe, serverName: config.serverName });
  const http = createDeliver({
    ...common,
    gateway: createGateway(outbound),
    log,
    observe: metrics?.push.observe,
  });
  const deliver: Deliver = async (row, signal) => (row.kind === 'email' ? mail?.(row, signal) : http(row, signal));
  const destinationOf = (row: DeliveryRow) => (row.kind === 'email' ? mail && 'email' : gatewayUrlOf(row)?.host);
  const sender = createPushSender({
    db,
    deliver,
    destinationOf,
    people,
    process,
    isShared,
    now,
    after: realTimers,
    log,
  });
  metrics?.push.watch({ queued: sender.queued, people: () => people.size });
  return {
    services: {
      pushers: createPushers({ db, sendsMail: mailer !== undefined, now }),
      notifications: createNotifications({ reading, readState }),
      unsubscribe,
    },
    close: sender.close,
  };
}
