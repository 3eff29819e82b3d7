/**
 * Why a text or value is not JSON that we take. `not-integer` and `negative-zero` are numbers that strict canonical JSON
 * cannot spell; `integer-range` lies outside ±(2^53 − 1).
 */
export type JsonErrorReason =
  | 'syntax'
  | 'too-deep'
  | 'too-many-members'
  | 'not-integer'
  | 'negative-zero'
  | 'integer-range'
  | 'lone-surrogate'
  | 'not-json';

const messages: Readonly<Record<JsonErrorReason, string>> = {
  syntax: 'Not valid JSON',
  'too-deep': 'JSON is nested too deeply',
  'too-many-members': 'An object has too many members',
  'not-integer': 'Numbers must be integers without fraction or exponent',
  'negative-zero': 'Negative zero is not allowed',
  'integer-range': 'Integers must lie between -(2^53 - 1) and 2^53 - 1',
  'lone-surrogate': 'Strings must be valid Unicode, without lone surrogates',
  'not-json': 'The value has no JSON form',
};

/** The only thing that the functions of this folder throw. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  readonly reason: JsonErrorReason;

  constructor(reason: JsonErrorReason) {
    super(messages[reason]);
    this.reason = reason;
  }
}
