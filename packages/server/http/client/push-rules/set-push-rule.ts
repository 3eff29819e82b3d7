import { Type } from 'typebox';
import type { PushRules } from '../../../services/push-rules/push-rules.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject, jsonObject } from '../../schemas.ts';
import { ruleParams } from './schemas.ts';

export const setPushRule = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/pushrules/global/:kind/:ruleId',
    operationId: 'setPushRule',
    summary: 'Add or change a push rule',
    auth: 'user',
    rateLimit: 'push-rules',
    params: ruleParams,
    query: Type.Object({ before: Type.Optional(Type.String()), after: Type.Optional(Type.String()) }),
    body: jsonObject,
    bodyLimit: 64 * 1024,
    response: emptyObject,
  },
  ({ pushRules }: { pushRules: PushRules }) =>
    async ({ sender, params, query, body }) => {
      await pushRules.put(sender.userId, params.kind, params.ruleId, body, query);
      return {};
    },
);
