import type { ServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { Logger } from '../../../observability/logger.ts';
import type { FederationClient } from '../client/federation-client.ts';

export type SenderDependencies = {
  readonly db: Database;
  readonly client: FederationClient;
  readonly serverName: ServerName;
  readonly log: Logger;
  readonly now: () => number;
};
