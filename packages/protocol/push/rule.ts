import type { JsonValue } from '../json/value.ts';

/**
 * The kinds of push rules, "in the order that they are checked". `postcontent` has rules of the server's only:
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4306}
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#push-rules}
 */
export const pushRuleKinds = ['override', 'content', 'postcontent', 'room', 'sender', 'underride'] as const;
export type PushRuleKind = (typeof pushRuleKinds)[number];

export type PushAction = string | { readonly [name: string]: JsonValue };

/** Fields beyond `kind` are what the owner wrote: whoever reads them checks their types. */
export type PushCondition = {
  readonly kind: JsonValue;
  readonly [field: string]: JsonValue;
};

export type PushRule = {
  readonly rule_id: string;
  readonly default: boolean;
  readonly enabled: boolean;
  readonly actions: readonly PushAction[];
  /** Of `override`, `postcontent` and `underride` rules. */
  readonly conditions?: readonly PushCondition[];
  /** Of `content` rules. */
  readonly pattern?: string;
};

/** The rules of each kind, the most important first, as `withOwnRules` puts them. */
export type PushRuleset = { readonly [Kind in PushRuleKind]: readonly PushRule[] };

export function isPushRuleKind(value: string): value is PushRuleKind {
  return (pushRuleKinds as readonly string[]).includes(value);
}
