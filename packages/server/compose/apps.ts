import type { Config } from '../config/config.ts';
import { adminEndpoints, type AdminServices } from '../http/admin/index.ts';
import { type AppOptions, buildApp } from '../http/app.ts';
import type { AppServiceAuthenticator, Authenticator } from '../http/authenticate.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { clientEndpoints, type ClientServices } from '../http/client/index.ts';
import {
  federationEndpoints,
  type FederationServices,
  roomFederationEndpoints,
  type RoomFederationServices,
} from '../http/federation/index.ts';
import { openApiEndpoint } from '../http/openapi.ts';
import { webEndpoints, type WebServices } from '../http/web/index.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { createRequestIds } from '../observability/request-ids.ts';
import type { Composition } from '../process/composition.ts';
import type { LastSeen } from '../services/devices/last-seen.ts';
import type { RequestAuth } from '../services/federation/signing/request-auth.ts';
import type { Presence } from '../services/presence/presence.ts';
import type { RateLimiter } from '../services/rate-limit/rate-limiter.ts';

type Context = {
  readonly config: Pick<Config, 'federation' | 'http' | 'support'>;
  readonly services: ClientServices & FederationServices & RoomFederationServices & AdminServices & WebServices;
  /** Endpoints for clients that only some servers have, with what they are made of. */
  readonly moreForClients: readonly Endpoint<object>[];
  readonly authenticator: Authenticator;
  /** Absent where there are no application services. */
  readonly appServices: AppServiceAuthenticator | undefined;
  readonly requestAuth: RequestAuth;
  readonly rateLimiter: RateLimiter;
  readonly catchUp: NonNullable<AppOptions['catchUp']>;
  readonly lastSeen: LastSeen;
  readonly presence: Presence;
  readonly metrics: Metrics | undefined;
  readonly log: Logger;
  readonly checkResponse: AppOptions['checkResponse'];
};

/** What answers on listeners: each has the endpoints that it serves, and all of them the same services. */
export function createApps(context: Context): Composition['createApp'] {
  const { config, services, moreForClients } = context;
  const options = optionsOf(context);
  return ({ serve }, tls) => {
    const endpoints = [
      ...(serve.includes('client') ? [...clientEndpoints, ...moreForClients] : []),
      ...(serve.includes('federation') && config.federation.enabled
        ? [...federationEndpoints, ...roomFederationEndpoints]
        : []),
      ...(serve.includes('admin') ? adminEndpoints : []),
      ...(serve.includes('web') ? webEndpoints : []),
    ];
    return buildApp([...endpoints, openApiEndpoint(endpoints)], services, { ...options, ...(tls && { tls }) });
  };
}

function optionsOf(context: Context): AppOptions {
  const { config, authenticator, appServices, requestAuth, rateLimiter, metrics, log, checkResponse } = context;
  const { lastSeen, presence, catchUp } = context;
  return {
    log,
    authenticator,
    ...(appServices && { appServices }),
    requestAuth,
    rateLimiter,
    catchUp,
    senderLog: {
      note(sender, request, rateLimit) {
        lastSeen.note(sender, request);
        // "A pro-active event may be sending a message to a room"; reading and typing are no less.
        if (rateLimit === 'send' || rateLimit === 'receipt' || rateLimit === 'typing') presence.noteActivity(sender);
      },
    },
    helpPage: config.support.page,
    trustedProxies: config.http.trustedProxies,
    newRequestId: createRequestIds(),
    ...(metrics && { observe: metrics.observeRequest }),
    ...(checkResponse && { checkResponse }),
  };
}
