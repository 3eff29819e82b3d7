import { Type } from 'typebox';
import type { Upgrades } from '../../../services/rooms/upgrade/upgrades.ts';
import { endpoint } from '../../endpoint.ts';
import { roomParams } from './schemas.ts';

export const upgradeRoom = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/rooms/:roomId/upgrade',
    operationId: 'upgradeRoom',
    summary: 'Upgrade a room to a new room version',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'upgrade',
    params: roomParams,
    body: Type.Object(
      { new_version: Type.String(), additional_creators: Type.Optional(Type.Array(Type.String())) },
      { title: 'UpgradeRoom' },
    ),
    response: Type.Object({ replacement_room: Type.String() }, { title: 'ReplacementRoom' }),
  },
  ({ upgrades }: { upgrades: Upgrades }) =>
    async ({ sender, params, body }) => ({
      replacement_room: await upgrades.upgrade(sender.userId, params.roomId, body),
    }),
);
