import type { Database } from '@portico/storage';
import type { AppServiceAuthenticator } from '../http/authenticate.ts';
import type { Logger } from '../observability/logger.ts';
import { type AppServiceClient, createAppServiceClient } from '../services/appservices/app-service-client.ts';
import type { AppService } from '../services/appservices/app-service.ts';
import type { AppServices } from '../services/appservices/app-services.ts';
import { createDeliveries, registerAppServices } from '../services/appservices/delivery/deliveries.ts';
import { type AppServicePing, createAppServicePing } from '../services/appservices/ping.ts';
import { type AppServiceQueries, createAppServiceQueries } from '../services/appservices/queries.ts';
import { createThirdParty, type ThirdParty } from '../services/appservices/third-party.ts';
import { createMasquerade } from '../services/appservices/masquerade.ts';
import type { PresenceForServices } from '../services/presence/for-app-services.ts';
import type { Outbound } from '../services/outbound/outbound.ts';
import type { Typing } from '../services/typing/typing.ts';

type Context = {
  readonly db: Database;
  readonly appServices: AppServices;
  readonly client: AppServiceClient;
  readonly typing: Typing;
  readonly presence: PresenceForServices;
  readonly serverName: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomId: () => string;
};

export type AppServiceParts = {
  /** Absent where there are no application services. */
  readonly authenticator: AppServiceAuthenticator | undefined;
  close(): Promise<void>;
};

/** What bridges and bots can do, and what they are told. */
export async function createAppServiceParts(context: Context): Promise<AppServiceParts> {
  const { db, appServices, typing, presence, now, randomId } = context;
  await registerAppServices(db, appServices, now());
  if (appServices.all.length === 0) return { authenticator: undefined, close: async () => undefined };
  // One process owns an SQLite database: what a process before it held is its own.
  const owner = db.kind === 'sqlite' ? 'the only process' : randomId();
  const deliveries = createDeliveries({ ...context, owner, presence: presence.presenceFor }, appServices);
  typing.onRoomChange(deliveries.typingChanged);
  presence.onChange(deliveries.presenceChanged);
  const masquerade = createMasquerade(db);
  const authenticator: AppServiceAuthenticator<AppService> = {
    findByToken(token) {
      const service = appServices.findByToken(token);
      if (service !== undefined) deliveries.heardOf(service.id);
      return service;
    },
    act: masquerade.act,
    claim: ({ id }) => ({ kind: 'app-service', id }),
  };
  return {
    authenticator,
    async close() {
      masquerade.close();
      await deliveries.close();
    },
  };
}

/** What application services are asked. */
export type AppServiceQuestions = {
  readonly client: AppServiceClient;
  readonly queries: AppServiceQueries;
  readonly services: { readonly ping: AppServicePing; readonly thirdParty: ThirdParty };
};

export function createAppServiceQuestions(
  context: Pick<Context, 'db' | 'appServices' | 'log' | 'now'> & { readonly outbound: Outbound },
): AppServiceQuestions {
  const client = createAppServiceClient(context.outbound, context.now);
  const asking = { ...context, client };
  return {
    client,
    queries: createAppServiceQueries(asking),
    services: { ping: createAppServicePing(asking), thirdParty: createThirdParty(asking) },
  };
}
