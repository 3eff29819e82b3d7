import { Type } from 'typebox';
import type { KeyBackup } from '../../../services/keys/key-backup.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { emptyObject, opaque } from '../../schemas.ts';

type Deps = { keyBackup: KeyBackup };
const path = '/_matrix/client/v3/room_keys/version';
const params = Type.Object({ version: Type.String() });
const newVersion = Type.Object(
  { algorithm: Type.String({ maxLength: 255 }), auth_data: opaque, version: Type.Optional(Type.String()) },
  { title: 'BackupVersion' },
);
const storedVersion = Type.Object(
  {
    algorithm: Type.String(),
    auth_data: opaque,
    count: Type.Integer(),
    etag: Type.String(),
    version: Type.String(),
  },
  { title: 'StoredBackupVersion' },
);
const common = { auth: 'user', rateLimit: 'devices' } as const;

export const createBackupVersion = endpoint(
  {
    ...common,
    method: 'POST',
    path,
    operationId: 'postRoomKeysVersion',
    summary: 'Create a new backup',
    body: newVersion,
    response: Type.Object({ version: Type.String() }, { title: 'BackupVersionNumber' }),
  },
  ({ keyBackup }: Deps) =>
    async ({ sender, body }) => ({ version: await keyBackup.create(sender.userId, body) }),
);

export const getCurrentBackupVersion = endpoint(
  {
    ...common,
    method: 'GET',
    path,
    operationId: 'getRoomKeysVersionCurrent',
    summary: 'Get information about the latest backup version',
    response: storedVersion,
  },
  ({ keyBackup }: Deps) =>
    async ({ sender }) =>
      rawJson(JSON.stringify(await keyBackup.get(sender.userId))),
);

export const getBackupVersion = endpoint(
  {
    ...common,
    method: 'GET',
    path: `${path}/:version`,
    operationId: 'getRoomKeysVersion',
    summary: 'Get information about an existing backup',
    params,
    response: storedVersion,
  },
  ({ keyBackup }: Deps) =>
    async ({ sender, params: { version } }) =>
      rawJson(JSON.stringify(await keyBackup.get(sender.userId, version))),
);

export const updateBackupVersion = endpoint(
  {
    ...common,
    method: 'PUT',
    path: `${path}/:version`,
    operationId: 'putRoomKeysVersion',
    summary: 'Update information about an existing backup',
    params,
    body: newVersion,
    response: emptyObject,
  },
  ({ keyBackup }: Deps) =>
    async ({ sender, params: { version }, body }) => {
      await keyBackup.update(sender.userId, version, body);
      return {};
    },
);

export const deleteBackupVersion = endpoint(
  {
    ...common,
    method: 'DELETE',
    path: `${path}/:version`,
    operationId: 'deleteRoomKeysVersion',
    summary: 'Delete an existing key backup',
    params,
    response: emptyObject,
  },
  ({ keyBackup }: Deps) =>
    async ({ sender, params: { version } }) => {
      await keyBackup.remove(sender.userId, version);
      return {};
    },
);

export const backupVersionEndpoints = [
  createBackupVersion,
  getCurrentBackupVersion,
  getBackupVersion,
  updateBackupVersion,
  deleteBackupVersion,
];
