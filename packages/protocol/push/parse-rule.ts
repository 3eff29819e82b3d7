import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';
import { isLiteral } from './conditions.ts';
import type { NewRule } from './edit-rules.ts';
import type { PushAction, PushCondition, PushRuleKind, PushRuleset } from './rule.ts';
import { pushRuleKinds } from './rule.ts';
import { isAction } from './stored-rules.ts';

export type ParsedRule =
  | { readonly kind: 'rule'; readonly rule: NewRule }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly reason: string };

const longestRuleId = 255;
const longestPattern = 512;

/** Reads the rule that somebody wants to make of a request. */
export function parsePushRule(kind: PushRuleKind, ruleId: string, body: JsonObject): ParsedRule {
  const idProblem = checkRuleId(ruleId);
  if (idProblem !== undefined) return invalid(idProblem);

  const actions = body['actions'];
  if (actions === undefined) return missing('actions');
  const parsedActions = parseActions(actions);
  if (parsedActions === undefined) return invalid('actions must be a list of strings and tweaks');
  const rule = { rule_id: ruleId, actions: parsedActions };

  switch (kind) {
    case 'override':
    case 'underride': {
      // "A rule with no conditions always matches", so a list that is not there is an empty one.
      const conditions = parseConditions(body['conditions'] ?? []);
      if (conditions === undefined) return invalid('conditions must be a list of objects with a kind');
      return { kind: 'rule', rule: { ...rule, conditions } };
    }
    case 'content': {
      const pattern = body['pattern'];
      if (pattern === undefined) return missing('pattern');
      if (typeof pattern !== 'string' || !isPattern(pattern)) return invalid('pattern must be a string, not too long');
      return { kind: 'rule', rule: { ...rule, pattern } };
    }
    case 'postcontent':
      return invalid('rules of this kind are the server’s');
    case 'room':
    case 'sender':
      return { kind: 'rule', rule };
    default: {
      const unknown: never = kind;
      return unknown;
    }
  }
}

function missing(name: string): ParsedRule {
  return { kind: 'missing', reason: `${name} is missing` };
}

function invalid(reason: string): ParsedRule {
  return { kind: 'invalid', reason };
}

/**
 * "If the string starts with a dot ("."), the request MUST be rejected as this is reserved for server-default rules.
 * Slashes ("/") and backslashes ("\\") are also not allowed."
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid}
 */
function checkRuleId(ruleId: string): string | undefined {
  if (ruleId.startsWith('.')) return 'rule IDs that start with a dot are the server’s';
  if (/[/\\]/.test(ruleId)) return 'rule IDs cannot have slashes';
  return ruleId.length > longestRuleId || ruleId === '' ? 'the rule ID is empty or too long' : undefined;
}

export function parseActions(actions: JsonValue): readonly PushAction[] | undefined {
  return Array.isArray(actions) && actions.every(isAction) ? actions : undefined;
}

function parseConditions(conditions: JsonValue): readonly PushCondition[] | undefined {
  if (!Array.isArray(conditions)) return undefined;
  const usable = conditions.every(
    (condition): condition is JsonObject & PushCondition =>
      isJsonObject(condition) && typeof condition['kind'] === 'string' && isPattern(condition['pattern'] ?? ''),
  );
  return usable ? conditions : undefined;
}

function isPattern(pattern: JsonValue): boolean {
  return typeof pattern !== 'string' || (pattern.length <= longestPattern && !pattern.startsWith('\u0000'));
}

const mostRules = 1000;
const mostConditions = 2000;
const mostSlowPatterns = 100;

/** Whether the rules that somebody made are more than a server should try on every event of their rooms. */
export function hasTooManyPushRules(ruleset: PushRuleset): boolean {
  let rules = 0;
  let conditions = 0;
  let slow = 0;
  for (const kind of pushRuleKinds) {
    for (const rule of ruleset[kind]) {
      if (rule.default) continue;
      rules += 1;
      conditions += rule.conditions?.length ?? 1;
      if (rule.pattern !== undefined && isSlow(rule.pattern)) slow += 1;
      for (const { pattern } of rule.conditions ?? []) {
        if (typeof pattern === 'string' && isSlow(pattern)) slow += 1;
      }
    }
  }
  return rules > mostRules || conditions > mostConditions || slow > mostSlowPatterns;
}

function isSlow(pattern: string): boolean {
  return !isLiteral(pattern) || pattern.length > 32;
}
