import { Type } from 'typebox';

export const ruleParams = Type.Object({ kind: Type.String(), ruleId: Type.String() });

const action = Type.Union([Type.String(), Type.Object({})]);

export const actionsResponse = Type.Unsafe<object>(
  Type.Object({ actions: Type.Array(action) }, { title: 'PushRuleActions' }),
);

const rule = Type.Object(
  {
    rule_id: Type.String(),
    default: Type.Boolean(),
    enabled: Type.Boolean(),
    actions: Type.Array(action),
    conditions: Type.Optional(Type.Array(Type.Object({ kind: Type.String() }))),
    pattern: Type.Optional(Type.String()),
  },
  { title: 'PushRule' },
);

export const pushRule = Type.Unsafe<object>(rule);

const rules = Type.Array(rule);

export const pushRulesOfKind = Type.Unsafe<readonly object[]>(rules);

export const ruleset = Type.Unsafe<object>(
  Type.Object(
    { override: rules, content: rules, postcontent: rules, room: rules, sender: rules, underride: rules },
    { title: 'PushRuleset' },
  ),
);

export const rulesets = Type.Unsafe<object>(Type.Object({ global: ruleset }, { title: 'PushRulesets' }));
