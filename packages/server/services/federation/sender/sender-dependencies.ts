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
  /** What this process is called among those that share the database. The same again after a restart, if it has it alone. */
  readonly process: string;
  /** Whether other processes may use the database. */
  readonly isShared: boolean;
  readonly log: Logger;
  readonly now: () => number;
  readonly random: () => number;
  readonly randomId: () => string;
  /** How long, in milliseconds, a server is left alone after one of many transactions, while there are no events for a whole one. */
  readonly restAfter?: number | undefined;
  /** Told how long it took, in milliseconds, until a server had acknowledged what there was for it. */
  readonly observeLag?: ((milliseconds: number) => void) | undefined;
};
