import type { PushAction, PushRule, PushRuleKind, PushRuleset } from './rule.ts';
import { mapKinds, withOwnRules } from './stored-rules.ts';

export type RuleEdit =
  | { readonly kind: 'done'; readonly ruleset: PushRuleset }
  /** There is no such rule, or none that this may be done to. */
  | { readonly kind: 'not-found' }
  /** The rule that the new one was to stand beside is not there, or is a server-default one. */
  | { readonly kind: 'no-neighbour'; readonly ruleId: string };

export type NewRule = Pick<PushRule, 'rule_id' | 'actions' | 'conditions' | 'pattern'>;
export type Neighbours = { readonly before?: string | undefined; readonly after?: string | undefined };

export function findPushRule(ruleset: PushRuleset, kind: PushRuleKind, ruleId: string): PushRule | undefined {
  return ruleset[kind].find((rule) => rule.rule_id === ruleId);
}

/**
 * Adds or replaces a rule of the owner's. `before`: it becomes "the next-most important rule with respect to the given
 * user defined rule"; `after`: the next-less important one; both: `before` decides. Neither: a new rule becomes the most
 * important, one that is there stays in its place.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid}
 */
export function putPushRule(ruleset: PushRuleset, kind: PushRuleKind, rule: NewRule, place: Neighbours): RuleEdit {
  const own = ruleset[kind].filter((other) => !other.default);
  const present = own.findIndex((other) => other.rule_id === rule.rule_id);
  // "When creating push rules, they MUST be enabled by default."
  const put: PushRule = { ...rule, default: false, enabled: own[present]?.enabled ?? true };
  const others = own.filter((_other, index) => index !== present);

  let index = Math.max(present, 0);
  const neighbour = place.before ?? place.after;
  if (neighbour !== undefined) {
    const found = others.findIndex((other) => other.rule_id === neighbour);
    if (found === -1) return { kind: 'no-neighbour', ruleId: neighbour };
    index = place.before === undefined ? found + 1 : found;
  }
  return done(ruleset, kind, others.toSpliced(index, 0, put));
}

export function deletePushRule(ruleset: PushRuleset, kind: PushRuleKind, ruleId: string): RuleEdit {
  const own = ruleset[kind].filter((rule) => !rule.default);
  const left = own.filter((rule) => rule.rule_id !== ruleId);
  return left.length === own.length ? { kind: 'not-found' } : done(ruleset, kind, left);
}

/** Changes a rule in place, a server-default one too. */
export function changePushRule(
  ruleset: PushRuleset,
  kind: PushRuleKind,
  ruleId: string,
  change: { readonly enabled: boolean } | { readonly actions: readonly PushAction[] },
): RuleEdit {
  if (findPushRule(ruleset, kind, ruleId) === undefined) return { kind: 'not-found' };
  return {
    kind: 'done',
    ruleset: mapKinds((other) =>
      other === kind
        ? ruleset[kind].map((rule) => (rule.rule_id === ruleId ? { ...rule, ...change } : rule))
        : ruleset[other],
    ),
  };
}

function done(ruleset: PushRuleset, kind: PushRuleKind, own: readonly PushRule[]): RuleEdit {
  const defaults = ruleset[kind].filter((rule) => rule.default);
  return {
    kind: 'done',
    ruleset: mapKinds((other) => (other === kind ? withOwnRules(kind, defaults, own) : ruleset[other])),
  };
}
