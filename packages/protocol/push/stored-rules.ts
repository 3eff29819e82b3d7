import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';
import { defaultPushRules, ownUserId } from './default-rules.ts';
import { type PushAction, type PushRule, type PushRuleKind, pushRuleKinds, type PushRuleset } from './rule.ts';

/** Makes a ruleset of what each kind of rule becomes. */
export function mapKinds(rulesOf: (kind: PushRuleKind) => readonly PushRule[]): PushRuleset {
  return Object.fromEntries(pushRuleKinds.map((kind) => [kind, rulesOf(kind)])) as PushRuleset;
}

/**
 * The content of `m.push_rules` and of the answer to `GET /pushrules/`: rules in order of importance, the owner's name
 * filled in.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#mpush_rules}
 */
export function renderPushRules(ruleset: PushRuleset, userId: string): { readonly global: JsonObject } {
  return { global: mapKinds((kind) => ruleset[kind].map((rule) => renderPushRule(rule, userId))) };
}

export function renderPushRule(rule: PushRule, userId: string): PushRule {
  const { conditions } = rule;
  if (!rule.default || conditions === undefined) return rule;
  const named = conditions.map((condition) => {
    if (condition['pattern'] === ownUserId) return { ...condition, pattern: userId };
    return condition['value'] === ownUserId ? { ...condition, value: userId } : condition;
  });
  return { ...rule, conditions: named };
}

/**
 * Reads back what `renderPushRules` gave. Of the server-default rules only what their owner may change is taken; the rest
 * is as this version of the program has it.
 */
export function readPushRules(content: JsonValue | undefined): PushRuleset {
  const global = isJsonObject(content) && isJsonObject(content['global']) ? content['global'] : {};
  return mapKinds((kind) => {
    const stored = Object.hasOwn(global, kind) && Array.isArray(global[kind]) ? global[kind].filter(isRule) : [];
    const changed = new Map(stored.filter((rule) => rule.default).map((rule) => [rule.rule_id, rule]));
    const defaults = defaultPushRules[kind].map((rule) => {
      const { enabled, actions } = changed.get(rule.rule_id) ?? rule;
      return { ...rule, enabled, actions };
    });
    return withOwnRules(
      kind,
      defaults,
      stored.filter((rule) => !rule.default),
    );
  });
}

/**
 * Puts somebody's own rules where they count and clients look for them: server-default rules "operate at a lower priority
 * than user-defined rules, except for the `.m.rule.master` rule".
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#predefined-rules}
 */
export function withOwnRules(
  kind: PushRuleKind,
  defaults: readonly PushRule[],
  own: readonly PushRule[],
): readonly PushRule[] {
  return kind === 'override' ? [...defaults.slice(0, 1), ...own, ...defaults.slice(1)] : [...own, ...defaults];
}

function isRule(value: JsonValue): value is PushRule & JsonObject {
  return (
    isJsonObject(value) &&
    typeof value['rule_id'] === 'string' &&
    typeof value['default'] === 'boolean' &&
    typeof value['enabled'] === 'boolean' &&
    Array.isArray(value['actions']) &&
    value['actions'].every(isAction) &&
    (value['conditions'] === undefined ||
      (Array.isArray(value['conditions']) && value['conditions'].every(isJsonObject))) &&
    (value['pattern'] === undefined || typeof value['pattern'] === 'string')
  );
}

export function isAction(value: JsonValue): value is PushAction & JsonValue {
  return typeof value === 'string' || (isJsonObject(value) && typeof value['set_tweak'] === 'string');
}
