import { nearestName } from './nearest-name.ts';
import { reportWrong } from './value-type.ts';
import type { ParseContext, ValueType } from './value-type.ts';

export function list<T>(item: ValueType<T>, options: { least?: number } = {}): ValueType<readonly T[]> {
  const description = `a list, each ${item.description}`;
  return {
    description,
    structured: true,
    parse(raw, context) {
      if (raw.kind !== 'list') return reportWrong(raw, context, description);
      if (raw.items.length < (options.least ?? 0)) return reportWrong(raw, context, `${description}, and not empty`);
      const values: T[] = [];
      for (const [index, entry] of raw.items.entries()) {
        const value = item.parse(entry, { ...context, path: `${context.path}[${index}]` });
        if (value !== undefined) values.push(value);
      }
      return values;
    },
  };
}

type Fields = Record<string, ValueType<unknown>>;
type ValueOf<F> = F extends ValueType<infer T> ? T : never;

/** An object whose fields are all known: those in `required` must be there, those in `optional` may be. */
export function record<const R extends Fields, const O extends Fields>(
  required: R,
  optional: O,
): ValueType<{ readonly [K in keyof R]: ValueOf<R[K]> } & { readonly [K in keyof O]?: ValueOf<O[K]> }> {
  const fields = new Map<string, ValueType<unknown>>(Object.entries({ ...required, ...optional }));
  const description = `an object of ${[...fields.keys()].join(', ')}`;
  return {
    description,
    structured: true,
    parse(raw, context) {
      if (raw.kind !== 'mapping') return reportWrong(raw, context, description);
      const value: Record<string, unknown> = {};
      for (const [name, entry] of raw.entries) {
        const type = fields.get(name);
        if (type) value[name] = type.parse(entry, { ...context, path: `${context.path}.${name}` });
        else reportUnknownField(name, entry.origin, [...fields.keys()], context);
      }
      for (const name of Object.keys(required)) {
        if (raw.entries.has(name)) continue;
        const message = `${context.path}.${name} is missing: it must be ${fields.get(name)?.description}`;
        context.problems.push({ origin: raw.origin, message });
      }
      return value as never;
    },
  };
}

function reportUnknownField(name: string, origin: string, known: readonly string[], context: ParseContext): void {
  const message = `${context.path}.${name} is not a setting; the nearest one is ${context.path}.${nearestName(name, known)}`;
  context.problems.push({ origin, message });
}
