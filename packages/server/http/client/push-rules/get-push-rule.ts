import type { PushRules } from '../../../services/push-rules/push-rules.ts';
import { endpoint } from '../../endpoint.ts';
import { pushRule, ruleParams } from './schemas.ts';

export const getPushRule = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/pushrules/global/:kind/:ruleId',
    operationId: 'getPushRule',
    summary: 'Retrieve a push rule',
    auth: 'user',
    params: ruleParams,
    response: pushRule,
  },
  ({ pushRules }: { pushRules: PushRules }) =>
    ({ sender, params }) =>
      pushRules.get(sender.userId, params.kind, params.ruleId),
);
