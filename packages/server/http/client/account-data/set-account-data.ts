import { Type } from 'typebox';
import type { AccountData } from '../../../services/accounts/account-data.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject, jsonObject } from '../../schemas.ts';
import { refuseOthers } from './own-user.ts';

export const setAccountData = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/user/:userId/account_data/:type',
    operationId: 'setAccountData',
    summary: 'Set some account data for the user.',
    auth: 'user',
    rateLimit: 'account-data',
    params: Type.Object({ userId: Type.String(), type: Type.String() }),
    body: jsonObject,
    response: emptyObject,
  },
  ({ accountData }: { accountData: AccountData }) =>
    async ({ sender, params, body }) => {
      refuseOthers(sender, params.userId);
      await accountData.set(sender.userId, '', params.type, body);
      return {};
    },
);
