import type { PushRules } from '../../../services/push-rules/push-rules.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';
import { ruleParams } from './schemas.ts';

export const deletePushRule = endpoint(
  {
    method: 'DELETE',
    path: '/_matrix/client/v3/pushrules/global/:kind/:ruleId',
    operationId: 'deletePushRule',
    summary: 'Delete a push rule',
    auth: 'user',
    rateLimit: 'push-rules',
    params: ruleParams,
    response: emptyObject,
  },
  ({ pushRules }: { pushRules: PushRules }) =>
    async ({ sender, params }) => {
      await pushRules.delete(sender.userId, params.kind, params.ruleId);
      return {};
    },
);
