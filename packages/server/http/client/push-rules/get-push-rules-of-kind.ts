import { Type } from 'typebox';
import type { PushRules } from '../../../services/push-rules/push-rules.ts';
import { endpoint } from '../../endpoint.ts';
import { pushRulesOfKind } from './schemas.ts';

/** Not in the spec, where a kind is only part of a path; other servers answer, as they do to `/pushrules/global/`. */
export const getPushRulesOfKind = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/pushrules/global/:kind/',
    operationId: 'getPushRulesOfKind',
    summary: 'Retrieve all push rules of one kind',
    auth: 'user',
    params: Type.Object({ kind: Type.String() }),
    response: pushRulesOfKind,
  },
  ({ pushRules }: { pushRules: PushRules }) =>
    ({ sender, params }) =>
      pushRules.ofKind(sender.userId, params.kind),
);
