import { compileCondition, isLiteral, type Predicate } from './conditions.ts';
import { defaultPushRules } from './default-rules.ts';
import { effectiveRules, type EffectiveRule } from './effective-rules.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { PushContext, PushSubject } from './push-event.ts';

type CompiledRule = {
  /** In lower case, if the rule matches events of one type only. */
  readonly type: string | undefined;
  readonly predicates: readonly Predicate[];
  readonly outcome: Outcome;
};

/** Rules made ready to be tried on many events. */
export type CompiledRules = {
  /** The rules that can match events of the types that some rule names, by type. */
  readonly byType: ReadonlyMap<string, readonly CompiledRule[]>;
  readonly others: readonly CompiledRule[];
};

export function compilePushRules(rules: readonly EffectiveRule[]): CompiledRules {
  const compiled = rules.map(compileRule);
  const byType = new Map<string, readonly CompiledRule[]>();
  for (const { type } of compiled) {
    if (type === undefined || byType.has(type)) continue;
    byType.set(
      type,
      compiled.filter((rule) => rule.type === undefined || rule.type === type),
    );
  }
  return { byType, others: compiled.filter((rule) => rule.type === undefined) };
}

function compileRule({ ruleId, conditions, actions }: EffectiveRule): CompiledRule {
  const typeCondition = conditions.find(
    ({ kind, key, pattern }) =>
      kind === 'event_match' && key === 'type' && typeof pattern === 'string' && isLiteral(pattern),
  );
  return {
    type: typeof typeCondition?.['pattern'] === 'string' ? typeCondition['pattern'].toLowerCase() : undefined,
    predicates: conditions.filter((condition) => condition !== typeCondition).map(compileCondition),
    outcome: outcomeOf(ruleId, actions),
  };
}

/** The outcome of the first rule that matches, `undefined` if none does: nobody is notified then. */
export function evaluatePush(rules: CompiledRules, subject: PushSubject, context: PushContext): Outcome | undefined {
  const { type } = subject;
  const candidates = rules.byType.get(type) ?? rules.byType.get(type.toLowerCase()) ?? rules.others;
  for (let index = 0; index < candidates.length; index++) {
    const rule = candidates[index] as CompiledRule;
    if (matchesAll(rule.predicates, subject, context)) return rule.outcome;
  }
  return undefined;
}

function matchesAll(predicates: readonly Predicate[], subject: PushSubject, context: PushContext): boolean {
  for (let index = 0; index < predicates.length; index++) {
    if (!(predicates[index] as Predicate)(subject, context)) return false;
  }
  return true;
}

export const defaultEffectiveRules = effectiveRules(defaultPushRules);
export const compiledDefaultRules = compilePushRules(defaultEffectiveRules);
