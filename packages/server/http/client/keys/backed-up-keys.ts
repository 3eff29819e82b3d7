import { Type } from 'typebox';
import type { KeyBackup } from '../../../services/keys/key-backup.ts';
import { endpoint } from '../../endpoint.ts';
import { jsonInPieces } from '../../json-in-pieces.ts';
import { rawJson } from '../../result.ts';
import { opaque } from '../../schemas.ts';

type Deps = { keyBackup: KeyBackup };
const path = '/_matrix/client/v3/room_keys/keys';
const index = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const key = Type.Object(
  { first_message_index: index, forwarded_count: index, is_verified: Type.Boolean(), session_data: opaque },
  { title: 'BackedUpKey' },
);
const room = Type.Object({ sessions: Type.Record(Type.String(), key) }, { title: 'RoomKeyBackup' });
const rooms = Type.Object({ rooms: Type.Record(Type.String(), room) }, { title: 'KeyBackup' });
const ofRoom = Type.Object({ roomId: Type.String() });
const ofSession = Type.Object({ roomId: Type.String(), sessionId: Type.String() });
const common = { auth: 'user', rateLimit: 'to-device', query: Type.Object({ version: Type.String() }) } as const;
const state = Type.Object({ count: Type.Integer(), etag: Type.String() }, { title: 'BackupState' });
const bodyLimit = 16 * 1024 * 1024;

const putAll = endpoint(
  {
    ...common,
    method: 'PUT',
    path: path,
    operationId: 'putRoomKeys',
    summary: 'Store all keys in the backup',
    bodyLimit,
    body: rooms,
    response: state,
  },
  ({ keyBackup }: Deps) =>
    ({ sender, query, body }) =>
      keyBackup.putKeys(sender.userId, query.version, body.rooms),
);

const deleteAll = endpoint(
  {
    ...common,
    method: 'DELETE',
    path: path,
    operationId: 'deleteRoomKeys',
    summary: 'Delete all keys from the backup',
    response: state,
  },
  ({ keyBackup }: Deps) =>
    ({ sender, query }) =>
      keyBackup.removeKeys(sender.userId, query.version, []),
);

const getAll = endpoint(
  {
    ...common,
    method: 'GET',
    path: path,
    operationId: 'getRoomKeys',
    summary: 'Retrieve all keys from the backup',
    response: rooms,
  },
  ({ keyBackup }: Deps) =>
    async ({ sender, query }) =>
      jsonInPieces(await keyBackup.readKeys(sender.userId, query.version, null)),
);

const putByRoomId = endpoint(
  {
    ...common,
    method: 'PUT',
    path: `${path}/:roomId`,
    operationId: 'putRoomKeysByRoomId',
    summary: 'Store the keys of a room in the backup',
    params: ofRoom,
    bodyLimit,
    body: room,
    response: state,
  },
  ({ keyBackup }: Deps) =>
    ({ sender, params, query, body }) =>
      keyBackup.putKeys(sender.userId, query.version, { [params.roomId]: body }),
);

const deleteByRoomId = endpoint(
  {
    ...common,
    method: 'DELETE',
    path: `${path}/:roomId`,
    operationId: 'deleteRoomKeysByRoomId',
    summary: 'Delete the keys of a room from the backup',
    params: ofRoom,
    response: state,
  },
  ({ keyBackup }: Deps) =>
    ({ sender, params, query }) =>
      keyBackup.removeKeys(sender.userId, query.version, [params.roomId]),
);

const getByRoomId = endpoint(
  {
    ...common,
    method: 'GET',
    path: `${path}/:roomId`,
    operationId: 'getRoomKeysByRoomId',
    summary: 'Retrieve the keys of a room from the backup',
    params: ofRoom,
    response: room,
  },
  ({ keyBackup }: Deps) =>
    async ({ sender, params, query }) =>
      jsonInPieces(await keyBackup.readKeys(sender.userId, query.version, params.roomId)),
);

const putBySessionId = endpoint(
  {
    ...common,
    method: 'PUT',
    path: `${path}/:roomId/:sessionId`,
    operationId: 'putRoomKeyBySessionId',
    summary: 'Store the key of a session in the backup',
    params: ofSession,
    bodyLimit,
    body: key,
    response: state,
  },
  ({ keyBackup }: Deps) =>
    ({ sender, params, query, body }) =>
      keyBackup.putKeys(sender.userId, query.version, { [params.roomId]: { sessions: { [params.sessionId]: body } } }),
);

const deleteBySessionId = endpoint(
  {
    ...common,
    method: 'DELETE',
    path: `${path}/:roomId/:sessionId`,
    operationId: 'deleteRoomKeyBySessionId',
    summary: 'Delete the key of a session from the backup',
    params: ofSession,
    response: state,
  },
  ({ keyBackup }: Deps) =>
    ({ sender, params, query }) =>
      keyBackup.removeKeys(sender.userId, query.version, [params.roomId, params.sessionId]),
);

const getBySessionId = endpoint(
  {
    ...common,
    method: 'GET',
    path: `${path}/:roomId/:sessionId`,
    operationId: 'getRoomKeyBySessionId',
    summary: 'Retrieve the key of a session from the backup',
    params: ofSession,
    response: key,
  },
  ({ keyBackup }: Deps) =>
    async ({ sender, params, query }) =>
      rawJson(await keyBackup.readKey(sender.userId, query.version, params.roomId, params.sessionId)),
);

export const backedUpKeyEndpoints = [
  putAll,
  deleteAll,
  getAll,
  putByRoomId,
  deleteByRoomId,
  getByRoomId,
  putBySessionId,
  deleteBySessionId,
  getBySessionId,
];
