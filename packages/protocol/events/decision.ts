/** Why something was refused: a rule code that stays, and a sentence for people. */
export type Reject<Rule extends string> = {
  readonly kind: 'reject';
  readonly rule: Rule;
  readonly reason: string;
};

export function reject<Rule extends string>(rule: Rule, reason: string): Reject<Rule> {
  return { kind: 'reject', rule, reason };
}
