import type { JsonObject } from '@portico/protocol';
import { Type } from 'typebox';
import { operation } from './operation.ts';
import { anyObject, megabyte } from './pdu.ts';

const auth = 'server';
const timeout = 10_000;
/** Each is looked into on its own: one wrong entry must not spoil the others. */
const byName = Type.Unsafe<JsonObject>(Type.Object({}));
const optional = Type.Optional(byName);

export const getUserDevices = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/user/devices/:userId',
  operationId: 'getUserDevices',
  summary: 'Gives all devices of somebody, with their keys.',
  auth,
  params: Type.Object({ userId: Type.String() }),
  response: Type.Object(
    {
      user_id: Type.String(),
      stream_id: Type.Integer(),
      devices: Type.Array(anyObject),
      master_key: optional,
      self_signing_key: optional,
    },
    { title: 'DevicesOfUser' },
  ),
  answerLimit: 2 * megabyte,
  timeout,
});

export const queryUserKeys = operation({
  method: 'POST',
  path: '/_matrix/federation/v1/user/keys/query',
  operationId: 'queryUserEncryptionKeys',
  summary: 'Gives the keys of people and their devices.',
  auth,
  body: Type.Object({ device_keys: Type.Record(Type.String(), Type.Array(Type.String())) }, { title: 'UserKeyQuery' }),
  response: Type.Object(
    { device_keys: byName, master_keys: optional, self_signing_keys: optional },
    { title: 'QueriedUserKeys' },
  ),
  answerLimit: 4 * megabyte,
  timeout,
});

export const claimUserKeys = operation({
  method: 'POST',
  path: '/_matrix/federation/v1/user/keys/claim',
  operationId: 'claimUserEncryptionKeys',
  summary: 'Takes a one-time key of each of some devices.',
  auth,
  body: Type.Object(
    { one_time_keys: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())) },
    { title: 'UserKeyClaim' },
  ),
  response: Type.Object({ one_time_keys: byName }, { title: 'ClaimedUserKeys' }),
  answerLimit: 4 * megabyte,
  timeout,
});
