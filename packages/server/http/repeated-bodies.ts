import type { JsonValue } from '@portico/protocol';
import { createSmallCache } from '../services/reading/small-cache.ts';
import { parseJsonBody } from './json-body.ts';

/** Bodies that clients send again and again, as they do when they wait for something by POST: read and checked once. */
export interface RepeatedBodies {
  /** As `parseJsonBody`. Whoever gets the value gets the same one as others, so nobody changes it. */
  parse(bytes: Buffer): ReturnType<typeof parseJsonBody>;
  /** Whether this very value has passed before. */
  isChecked(body: unknown): boolean;
  noteChecked(body: unknown): void;
}

type Body = { readonly value: JsonValue; readonly length: number };

/** In bytes: what is larger is rarely the same again. */
const longest = 16 * 1024;
const mostBytes = 4 * 1024 * 1024;

export function createRepeatedBodies(): RepeatedBodies {
  const known = createSmallCache<string, Body>(mostBytes, ({ length }) => length);
  const checked = new WeakSet<object>();
  return {
    parse(bytes) {
      const { length } = bytes;
      if (length > longest) return parseJsonBody(bytes);
      const text = bytes.toString('latin1');
      const found = known.get(text);
      if (found !== undefined) return found.value;
      const value = parseJsonBody(bytes) as JsonValue | undefined;
      if (value !== undefined) known.set(text, { value, length });
      return value;
    },
    isChecked: (body) => typeof body === 'object' && body !== null && checked.has(body),
    noteChecked(body) {
      if (typeof body === 'object' && body !== null) checked.add(body);
    },
  };
}
