import { serverNameOf } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import type { ContentStore } from '../services/media/content-store.ts';
import { type ForgetPerson, watchDepartures } from '../services/privacy/departures.ts';
import { createDropOverdue } from '../services/privacy/drop-overdue.ts';
import { createErasures, type Erasures } from '../services/privacy/erasures.ts';
import { createExport, type ExportPerson } from '../services/privacy/export.ts';
import { createInviteControl, type InviteControl } from '../services/privacy/invite-control.ts';
import type { InviteRules } from '../services/privacy/invite-rules.ts';

type Context = {
  readonly config: Pick<Config, 'privacy'>;
  readonly db: Database;
  readonly serverName: string;
  readonly inviteRules: InviteRules;
  readonly store: ContentStore;
  readonly forget: ForgetPerson;
  readonly now: () => number;
  readonly log: Logger;
};

export type PrivacyParts = {
  readonly services: {
    readonly erasures: Erasures;
    readonly exportData: ExportPerson;
    readonly inviteControl: InviteControl;
  };
  close(): Promise<void>;
};

/** Who may invite people, what they get of their own data, and what is left of those who are gone. */
export function createPrivacyParts(context: Context): PrivacyParts {
  const { config, db, serverName, inviteRules, store, forget, now, log } = context;
  const departures = watchDepartures({
    db,
    isOwn: (userId) => serverNameOf(userId) === serverName,
    forget,
    onFailure: (error) => log.error({ error }, 'Forgetting people who are gone failed'),
  });
  const overdue = createDropOverdue({
    db,
    now,
    onFailure: (error) => log.error({ error }, 'Deleting what was kept for a while only failed'),
  });
  return {
    services: {
      erasures: createErasures(db),
      exportData: createExport({ db, store, now }),
      inviteControl: createInviteControl({ db, inviteRules, policy: config.privacy.invites, now }),
    },
    async close() {
      await Promise.all([departures.close(), overdue.close()]);
    },
  };
}
