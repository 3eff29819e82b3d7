import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { type JsonObject, parseServerName, type ServerName, signingKeyFromSeed } from '@portico/protocol';
import { openFor, temporarySqlite } from './both-engines.ts';
import { startTestNetwork, type TestNetwork } from './network.ts';
import pino from 'pino';
import { Type } from 'typebox';
import { createFederation, type Federation } from '@portico/server/compose/federation.ts';
import { loadConfig } from '@portico/server/config/load.ts';
import { operation } from '@portico/server/federation-api/operation.ts';
import { createRateLimiter } from '@portico/server/services/rate-limit/rate-limiter.ts';
import { buildApp } from '@portico/server/http/app.ts';
import { endpoint } from '@portico/server/http/endpoint.ts';
import { federationEndpoints } from '@portico/server/http/federation/index.ts';

/** Tells a server who it is, and what it said. */
export const whoAmI = operation({
  method: 'PUT',
  path: '/_matrix/federation/v1/whoami/:word',
  operationId: 'whoAmI',
  summary: 'Says who asks.',
  auth: 'server',
  params: Type.Object({ word: Type.String() }),
  query: Type.Object({ x: Type.Optional(Type.String()) }),
  body: Type.Unsafe<JsonObject>(Type.Object({})),
  response: Type.Object({ origin: Type.String(), word: Type.String(), body: Type.Unknown() }),
  answerLimit: 10_000,
  timeout: 5000,
});

export const noBody = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/whoami',
  operationId: 'whoAmIWithoutBody',
  summary: 'Says who asks.',
  auth: 'server',
  response: Type.Object({ origin: Type.String() }),
  answerLimit: 10_000,
  timeout: 5000,
});

const endpoints = [
  ...federationEndpoints,
  endpoint(whoAmI, () => ({ origin, params, body }) => ({ origin, word: params.word, body })),
  endpoint(noBody, () => ({ origin }) => ({ origin })),
];

export type Base = Federation & { readonly serverName: ServerName };

/** Everything of a server but its rooms and people, on real TLS. */
export async function startBase(
  context: TestContext,
  network: TestNetwork,
  name: string,
  settings = {},
): Promise<Base> {
  const serverName = parseServerName(name);
  assert.ok(serverName);
  const config = await loadConfig({
    environment: {
      PORTICO_SERVER_NAME: name,
      PORTICO_OUTBOUND_TRUSTED_CA_FILE: network.caFile,
      PORTICO_OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true',
      ...settings,
    },
  });
  const db = await openFor(context, temporarySqlite(context));
  const key = signingKeyFromSeed('ed25519:base', randomBytes(32));
  const log = pino({ level: 'silent' });
  const federation = createFederation({
    config,
    serverName,
    key,
    db,
    log,
    metrics: undefined,
    now: Date.now,
    network: network.networkOf(name),
  });
  const app = buildApp(endpoints, federation.services, {
    log,
    authenticator: { findSender: () => undefined },
    rateLimiter: createRateLimiter({ enabled: false, now: Date.now }),
    requestAuth: federation.requestAuth,
    tls: network.authority.issue([name]),
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  network.addPeer(name, (app.server.address() as AddressInfo).port);
  context.after(async () => {
    await app.close();
    await federation.close();
  });
  return { ...federation, serverName };
}

/** A network without servers, for the time of a test. */
export async function openNetwork(context: TestContext): Promise<TestNetwork> {
  const network = await startTestNetwork([]);
  context.after(() => network.close());
  return network;
}
