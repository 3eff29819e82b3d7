import { Type } from 'typebox';
import type { AccountData } from '../../../services/accounts/account-data.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { refuseOthers } from './own-user.ts';
import { refuseBadRoomId } from './room-id.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3391} */
const base = '/_matrix/client/unstable/org.matrix.msc3391/user/:userId';

export const deleteAccountData = endpoint(
  {
    method: 'DELETE',
    path: `${base}/account_data/:type`,
    operationId: 'deleteAccountData',
    summary: 'Deletes account data of the user.',
    auth: 'user',
    rateLimit: 'account-data',
    params: Type.Object({ userId: Type.String(), type: Type.String() }),
    response: emptyObject,
  },
  ({ accountData }: { accountData: AccountData }) =>
    async ({ sender, params }) => {
      refuseOthers(sender, params.userId);
      await accountData.delete(sender.userId, '', params.type);
      return {};
    },
);

export const deleteAccountDataPerRoom = endpoint(
  {
    method: 'DELETE',
    path: `${base}/rooms/:roomId/account_data/:type`,
    operationId: 'deleteAccountDataPerRoom',
    summary: 'Deletes account data of the user that is specific to a room.',
    auth: 'user',
    rateLimit: 'account-data',
    params: Type.Object({ userId: Type.String(), roomId: Type.String(), type: Type.String() }),
    response: emptyObject,
  },
  ({ accountData }: { accountData: AccountData }) =>
    async ({ sender, params }) => {
      refuseOthers(sender, params.userId);
      refuseBadRoomId(params.roomId);
      await accountData.delete(sender.userId, params.roomId, params.type);
      return {};
    },
);
