import { Type } from 'typebox';
import { operation } from './operation.ts';

const timestamp = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const signatures = Type.Record(Type.String(), Type.Record(Type.String(), Type.String()));

/** {@link https://spec.matrix.org/v1.19/server-server-api/#publishing-keys} */
export const serverKeys = Type.Object(
  {
    server_name: Type.String(),
    verify_keys: Type.Record(Type.String(), Type.Object({ key: Type.String() })),
    old_verify_keys: Type.Optional(
      Type.Record(Type.String(), Type.Object({ key: Type.String(), expired_ts: timestamp })),
    ),
    signatures,
    valid_until_ts: timestamp,
  },
  { title: 'ServerKeys' },
);

const manyServerKeys = Type.Object({ server_keys: Type.Array(serverKeys) }, { title: 'ManyServerKeys' });

/** Milliseconds for keys: whoever waits for them holds up what they are needed for. */
const timeout = 10_000;

/** A name, a few keys and signatures: 64 KiB are hundreds of them. */
const keysLimit = 64 * 1024;

export const getServerKey = operation({
  method: 'GET',
  path: '/_matrix/key/v2/server',
  // As it was when a key ID could follow.
  unstablePaths: ['/_matrix/key/v2/server/'],
  operationId: 'getServerKey',
  summary: "Gets the homeserver's public keys.",
  auth: 'none',
  response: serverKeys,
  answerLimit: keysLimit,
  timeout,
});

/** `/{keyId}` is older than v1.6 of the spec; servers still ask for it. All keys are an answer to it. */
export const getServerKeyById = operation({
  method: 'GET',
  path: '/_matrix/key/v2/server/:keyId',
  operationId: 'getServerKeyById',
  summary: "Gets the homeserver's public keys, whichever is asked for.",
  auth: 'none',
  params: Type.Object({ keyId: Type.String() }),
  response: serverKeys,
  answerLimit: keysLimit,
  timeout,
});

const minimumValidity = { minimum_valid_until_ts: Type.Optional(Type.Integer()) };

export const queryServerKeys = operation({
  method: 'GET',
  path: '/_matrix/key/v2/query/:serverName',
  operationId: 'perspectivesKeyQuery',
  summary: "Asks a notary for another server's keys.",
  auth: 'none',
  params: Type.Object({ serverName: Type.String() }),
  query: Type.Object(minimumValidity),
  response: manyServerKeys,
  answerLimit: keysLimit,
  timeout,
});

export const queryServerKey = operation({
  method: 'GET',
  path: '/_matrix/key/v2/query/:serverName/:keyId',
  operationId: 'perspectivesKeyQueryById',
  summary: "Asks a notary for one of another server's keys.",
  auth: 'none',
  params: Type.Object({ serverName: Type.String(), keyId: Type.String() }),
  query: Type.Object(minimumValidity),
  response: manyServerKeys,
  answerLimit: keysLimit,
  timeout,
});

export const queryManyServerKeys = operation({
  method: 'POST',
  path: '/_matrix/key/v2/query',
  operationId: 'bulkPerspectivesKeyQuery',
  summary: 'Asks a notary for the keys of several servers.',
  auth: 'none',
  body: Type.Object({
    server_keys: Type.Record(Type.String(), Type.Record(Type.String(), Type.Object(minimumValidity))),
  }),
  response: manyServerKeys,
  answerLimit: 4 * 1024 * 1024,
  // The notary asks the servers meanwhile.
  timeout: 30_000,
});
