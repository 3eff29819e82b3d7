import { Type } from 'typebox';
import { operation } from './operation.ts';
import { anything, megabyte } from './pdu.ts';

/** {@link https://spec.matrix.org/v1.19/server-server-api/#transactions} */
export const sendTransaction = operation({
  method: 'PUT',
  path: '/_matrix/federation/v1/send/:txnId',
  operationId: 'sendTransaction',
  summary: 'Brings events and other messages.',
  auth: 'server',
  params: Type.Object({ txnId: Type.String() }),
  body: Type.Object({
    origin: Type.Optional(Type.String()),
    origin_server_ts: Type.Optional(Type.Number()),
    // "limited to 50 PDUs and 100 EDUs"
    pdus: Type.Optional(Type.Array(anything, { maxItems: 50 })),
    edus: Type.Optional(Type.Array(anything, { maxItems: 100 })),
  }),
  bodyLimit: 10 * megabyte,
  response: Type.Object(
    { pdus: Type.Record(Type.String(), Type.Object({ error: Type.Optional(Type.String()) })) },
    { title: 'TransactionResult' },
  ),
  answerLimit: megabyte,
  timeout: 60_000,
});

/**
 * As this server sends it: some answer with an empty object, and a status of 200 is all that is waited for. An answer that is no
 * JSON object is no server's.
 */
export const deliverTransaction = operation({
  ...sendTransaction,
  response: Type.Object({ pdus: Type.Optional(Type.Unknown()) }, { title: 'TransactionTaken' }),
});
