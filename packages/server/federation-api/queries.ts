import { Type } from 'typebox';
import { operation } from './operation.ts';
import { anyObject, megabyte } from './pdu.ts';

/** "The total profile MUST be under 64 KiB" as canonical JSON; others may write it longer. */
const profileLimit = 256 * 1024;

export const queryDirectory = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/query/directory',
  operationId: 'queryRoomDirectory',
  summary: 'Says which room an alias is of.',
  auth: 'server',
  query: Type.Object({ room_alias: Type.String() }),
  response: Type.Object({ room_id: Type.String(), servers: Type.Array(Type.String()) }, { title: 'RoomAndServers' }),
  answerLimit: megabyte,
  timeout: 20_000,
});

export const queryProfile = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/query/profile',
  operationId: 'queryProfile',
  summary: "Gives somebody's profile.",
  auth: 'server',
  query: Type.Object({ user_id: Type.String(), field: Type.Optional(Type.String()) }),
  response: anyObject,
  answerLimit: profileLimit,
  timeout: 20_000,
});
