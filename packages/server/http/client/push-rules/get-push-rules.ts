import type { PushRules } from '../../../services/push-rules/push-rules.ts';
import { endpoint } from '../../endpoint.ts';
import { ruleset, rulesets } from './schemas.ts';

export const getPushRules = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/pushrules/',
    unstablePaths: ['/_matrix/client/v3/pushrules'],
    operationId: 'getPushRules',
    summary: 'Retrieve all push rulesets',
    auth: 'user',
    response: rulesets,
  },
  ({ pushRules }: { pushRules: PushRules }) =>
    ({ sender }) =>
      pushRules.all(sender.userId),
);

export const getPushRulesGlobal = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/pushrules/global/',
    unstablePaths: ['/_matrix/client/v3/pushrules/global'],
    operationId: 'getPushRulesGlobal',
    summary: 'Retrieve all push rules',
    auth: 'user',
    response: ruleset,
  },
  ({ pushRules }: { pushRules: PushRules }) =>
    async ({ sender }) =>
      (await pushRules.all(sender.userId)).global,
);
