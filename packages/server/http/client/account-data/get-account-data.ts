import { Type } from 'typebox';
import type { AccountData } from '../../../services/accounts/account-data.ts';
import type { PushRules } from '../../../services/push-rules/push-rules.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { jsonObject } from '../../schemas.ts';
import { refuseOthers } from './own-user.ts';

export const getAccountData = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/user/:userId/account_data/:type',
    operationId: 'getAccountData',
    summary: 'Get some account data for the user.',
    auth: 'user',
    params: Type.Object({ userId: Type.String(), type: Type.String() }),
    response: jsonObject,
  },
  ({ accountData, pushRules }: { accountData: AccountData; pushRules: PushRules }) =>
    async ({ sender, params }) => {
      refuseOthers(sender, params.userId);
      // Who never changed any has push rules, too, which are stored for nobody.
      if (params.type === 'm.push_rules') return rawJson(JSON.stringify(await pushRules.all(sender.userId)));
      return rawJson(await accountData.get(sender.userId, '', params.type));
    },
);
