import type { PushRules } from '../../../services/push-rules/push-rules.ts';
import type { Endpoint } from '../../endpoint.ts';
import { deletePushRule } from './delete-push-rule.ts';
import { getPushRule } from './get-push-rule.ts';
import { getPushRules, getPushRulesGlobal } from './get-push-rules.ts';
import { getPushRuleActions, setPushRuleActions } from './push-rule-actions.ts';
import { getPushRulesOfKind } from './get-push-rules-of-kind.ts';
import { isPushRuleEnabled, setPushRuleEnabled } from './push-rule-enabled.ts';
import { setPushRule } from './set-push-rule.ts';

/** What decides which events notify somebody. */
export const pushRuleEndpoints: readonly Endpoint<{ pushRules: PushRules }>[] = [
  getPushRules,
  getPushRulesGlobal,
  getPushRulesOfKind,
  getPushRule,
  setPushRule,
  deletePushRule,
  isPushRuleEnabled,
  setPushRuleEnabled,
  getPushRuleActions,
  setPushRuleActions,
];
