import { isLiteral } from './conditions.ts';
import { ownUserId } from './default-rules.ts';
import type { PushAction, PushCondition, PushRule, PushRuleKind, PushRuleset } from './rule.ts';
import { pushRuleKinds } from './rule.ts';

/** A rule that can match, with the conditions that its kind implies spelled out. */
export type EffectiveRule = {
  readonly ruleId: string;
  readonly conditions: readonly PushCondition[];
  readonly actions: readonly PushAction[];
};

/** All enabled rules "in the order that they are checked", which is that of the rulesets within each kind. */
export function effectiveRules(ruleset: PushRuleset): readonly EffectiveRule[] {
  const rules: EffectiveRule[] = [];
  for (const kind of pushRuleKinds) {
    for (const rule of ruleset[kind]) {
      if (!rule.enabled) continue;
      rules.push({ ruleId: rule.rule_id, conditions: conditionsOf(kind, rule), actions: rule.actions });
    }
  }
  return rules;
}

function conditionsOf(kind: PushRuleKind, rule: PushRule): readonly PushCondition[] {
  switch (kind) {
    case 'override':
    case 'postcontent':
    case 'underride':
      return rule.conditions ?? [];
    case 'content':
      return [{ kind: 'event_match', key: 'content.body', pattern: rule.pattern ?? null }];
    case 'room':
      return [{ kind: 'event_property_is', key: 'room_id', value: rule.rule_id }];
    case 'sender':
      return [{ kind: 'event_property_is', key: 'sender', value: rule.rule_id }];
    default: {
      const unknown: never = kind;
      return unknown;
    }
  }
}

/**
 * What is left of rules in one room: without those for other rooms and without those behind one that always matches. Most
 * people's rules are the same in most rooms, whatever else they have set, and are then worked out once for all of them.
 */
export function rulesInRoom(rules: readonly EffectiveRule[], roomId: string): readonly EffectiveRule[] {
  const left: EffectiveRule[] = [];
  for (const rule of rules) {
    if (rule.conditions.some((condition) => decidedByRoom(condition, roomId) === false)) continue;
    const conditions = rule.conditions.filter((condition) => decidedByRoom(condition, roomId) === undefined);
    left.push(conditions.length === rule.conditions.length ? rule : { ...rule, conditions });
    if (conditions.length === 0) break;
  }
  return left;
}

function decidedByRoom({ kind, key, pattern, value }: PushCondition, roomId: string): boolean | undefined {
  if (key !== 'room_id') return undefined;
  if (kind === 'event_property_is') return value === roomId;
  if (kind !== 'event_match' || typeof pattern !== 'string' || pattern === ownUserId || !isLiteral(pattern)) {
    return undefined;
  }
  return pattern.toLowerCase() === roomId.toLowerCase();
}
