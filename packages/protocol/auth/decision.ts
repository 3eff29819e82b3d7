import type { RuleCode } from './rule-catalogue.ts';

export type AuthDecision = AuthAllow | AuthReject;

export type AuthAllow = { readonly kind: 'allow' };

export type AuthReject = {
  readonly kind: 'reject';
  /** Stable, for programs. */
  readonly rule: RuleCode;
  /** For people: logs, and the error a client is shown. */
  readonly reason: string;
};

/** The decision to let an event pass. */
export const allow: AuthAllow = Object.freeze({ kind: 'allow' });

/** The decision against an event: the rule that it breaks, and why, for people. */
export function reject(rule: RuleCode, reason: string): AuthReject {
  return { kind: 'reject', rule, reason };
}
