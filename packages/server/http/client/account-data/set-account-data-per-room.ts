import { Type } from 'typebox';
import type { AccountData } from '../../../services/accounts/account-data.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject, jsonObject } from '../../schemas.ts';
import { refuseOthers } from './own-user.ts';
import { refuseBadRoomId } from './room-id.ts';

export const setAccountDataPerRoom = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/user/:userId/rooms/:roomId/account_data/:type',
    operationId: 'setAccountDataPerRoom',
    summary: 'Set some account data for the user that is specific to a room.',
    auth: 'user',
    rateLimit: 'account-data',
    params: Type.Object({ userId: Type.String(), roomId: Type.String(), type: Type.String() }),
    body: jsonObject,
    response: emptyObject,
  },
  ({ accountData }: { accountData: AccountData }) =>
    async ({ sender, params, body }) => {
      refuseOthers(sender, params.userId);
      refuseBadRoomId(params.roomId);
      await accountData.set(sender.userId, params.roomId, params.type, body);
      return {};
    },
);
