import { createWriteSet, type Database } from '@portico/storage';
import { ensureSender } from '@portico/storage/stores/app-services-users.ts';
import type { AppServiceAuthenticator } from '../http/authenticate.ts';
import type { AppService } from '../services/appservices/app-service.ts';
import type { AppServices } from '../services/appservices/app-services.ts';
import { createMasquerade } from '../services/appservices/masquerade.ts';

type Context = {
  readonly db: Database;
  readonly appServices: AppServices;
  readonly now: () => number;
};

export type AppServiceParts = {
  /** Absent where there are no application services. */
  readonly authenticator: AppServiceAuthenticator | undefined;
  close(): Promise<void>;
};

/** What bridges and bots can do, and what they are told. */
export async function createAppServiceParts({ db, appServices, now }: Context): Promise<AppServiceParts> {
  if (appServices.all.length === 0) return { authenticator: undefined, close: async () => undefined };
  const set = createWriteSet();
  for (const { sender } of appServices.all) ensureSender(set, sender, now());
  await db.commit(set);
  const masquerade = createMasquerade(db);
  const authenticator: AppServiceAuthenticator<AppService> = {
    findByToken: appServices.findByToken,
    act: masquerade.act,
    claim: ({ id }) => ({ kind: 'app-service', id }),
  };
  return {
    authenticator,
    async close() {
      masquerade.close();
    },
  };
}
