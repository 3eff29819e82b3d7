import { Type } from 'typebox';
import type { AccountData } from '../../../services/accounts/account-data.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { jsonObject } from '../../schemas.ts';
import { refuseOthers } from './own-user.ts';
import { refuseBadRoomId } from './room-id.ts';

export const getAccountDataPerRoom = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/user/:userId/rooms/:roomId/account_data/:type',
    operationId: 'getAccountDataPerRoom',
    summary: 'Get some account data for the user that is specific to a room.',
    auth: 'user',
    params: Type.Object({ userId: Type.String(), roomId: Type.String(), type: Type.String() }),
    response: jsonObject,
  },
  ({ accountData }: { accountData: AccountData }) =>
    async ({ sender, params }) => {
      refuseOthers(sender, params.userId);
      refuseBadRoomId(params.roomId);
      return rawJson(await accountData.get(sender.userId, params.roomId, params.type));
    },
);
