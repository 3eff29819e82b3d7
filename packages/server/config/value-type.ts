import { quoteRaw } from './raw.ts';
import type { Problem, Raw } from './raw.ts';

export type ParseContext = {
  /** The name of the setting, as messages give it: `listeners[1].port`. */
  readonly path: string;
  /** The folder that relative paths start from. */
  readonly base: string;
  /** Whether messages must not repeat the value. */
  readonly secret: boolean;
  readonly problems: Problem[];
};

/** A kind of value that a setting can have. `parse` reports what is wrong to the context and answers `undefined`. */
export interface ValueType<T> {
  /** Completes the sentence "must be …". */
  readonly description: string;
  /** Whether the environment and the command line give it as JSON. */
  readonly structured: boolean;
  parse(raw: Raw, context: ParseContext): T | undefined;
}

export function reportWrong(raw: Raw, context: ParseContext, expected: string): undefined {
  const value = context.secret ? '(not shown)' : quoteRaw(raw);
  context.problems.push({ origin: raw.origin, message: `${context.path} is ${value}: it must be ${expected}` });
  return undefined;
}

/** A type whose values are written as one word or number. */
export function scalarType<T>(description: string, read: (text: string, raw: Raw) => T | undefined): ValueType<T> {
  return {
    description,
    structured: false,
    parse(raw, context) {
      const value = raw.kind === 'scalar' ? read(raw.text, raw) : undefined;
      return value === undefined ? reportWrong(raw, context, description) : value;
    },
  };
}
