import type { PushRules } from '../../../services/push-rules/push-rules.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject, jsonObject } from '../../schemas.ts';
import { actionsResponse, ruleParams } from './schemas.ts';

const path = '/_matrix/client/v3/pushrules/global/:kind/:ruleId/actions';

export const getPushRuleActions = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'getPushRuleActions',
    summary: 'The actions for a push rule',
    auth: 'user',
    params: ruleParams,
    response: actionsResponse,
  },
  ({ pushRules }: { pushRules: PushRules }) =>
    async ({ sender, params }) => ({
      actions: (await pushRules.get(sender.userId, params.kind, params.ruleId)).actions,
    }),
);

export const setPushRuleActions = endpoint(
  {
    method: 'PUT',
    path,
    operationId: 'setPushRuleActions',
    summary: 'Set the actions for a push rule',
    auth: 'user',
    rateLimit: 'push-rules',
    params: ruleParams,
    body: jsonObject,
    bodyLimit: 64 * 1024,
    response: emptyObject,
  },
  ({ pushRules }: { pushRules: PushRules }) =>
    async ({ sender, params, body }) => {
      await pushRules.setActions(sender.userId, params.kind, params.ruleId, body);
      return {};
    },
);
