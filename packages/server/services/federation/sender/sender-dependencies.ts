import type { ServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { Logger } from '../../../observability/logger.ts';
import type { FederationClient } from '../client/federation-client.ts';
import type { Outbox } from './outbox.ts';

export type SenderDependencies = {
  readonly db: Database;
  readonly client: FederationClient;
  /** EDUs that live in memory. */
  readonly outbox: Outbox;
  readonly serverName: ServerName;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomId: () => string;
};
