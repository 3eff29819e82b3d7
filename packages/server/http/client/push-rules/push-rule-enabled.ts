import { Type } from 'typebox';
import type { PushRules } from '../../../services/push-rules/push-rules.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject, jsonObject } from '../../schemas.ts';
import { ruleParams } from './schemas.ts';

const path = '/_matrix/client/v3/pushrules/global/:kind/:ruleId/enabled';

export const isPushRuleEnabled = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'isPushRuleEnabled',
    summary: 'Get whether a push rule is enabled',
    auth: 'user',
    params: ruleParams,
    response: Type.Object({ enabled: Type.Boolean() }, { title: 'PushRuleEnabled' }),
  },
  ({ pushRules }: { pushRules: PushRules }) =>
    async ({ sender, params }) => ({
      enabled: (await pushRules.get(sender.userId, params.kind, params.ruleId)).enabled,
    }),
);

export const setPushRuleEnabled = endpoint(
  {
    method: 'PUT',
    path,
    operationId: 'setPushRuleEnabled',
    summary: 'Enable or disable a push rule',
    auth: 'user',
    rateLimit: 'push-rules',
    params: ruleParams,
    body: jsonObject,
    response: emptyObject,
  },
  ({ pushRules }: { pushRules: PushRules }) =>
    async ({ sender, params, body }) => {
      await pushRules.setEnabled(sender.userId, params.kind, params.ruleId, body);
      return {};
    },
);
