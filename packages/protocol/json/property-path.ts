import type { JsonValue } from './value.ts';

/** The names on the way to a property. */
export type PropertyPath = readonly string[];

/**
 * The names of a dot-separated path. "any literal dot or backslash found in a property name should be escaped with a
 * backslash […] Other escape sequences are left as-is".
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths}
 */
export function parsePropertyPath(path: string): PropertyPath {
  const names: string[] = [];
  let name = '';
  for (let i = 0; i < path.length; i++) {
    const char = path.charAt(i);
    const next = path.charAt(i + 1);
    if (char === '\\' && (next === '.' || next === '\\')) {
      name += next;
      i++;
    } else if (char === '.') {
      names.push(name);
      name = '';
    } else {
      name += char;
    }
  }
  names.push(name);
  return names;
}

/** What a path leads to below a value, from its `from`th name on. Arrays have no properties. */
export function propertyAt(value: JsonValue | undefined, names: PropertyPath, from: number): JsonValue | undefined {
  let current = value;
  for (let i = from; i < names.length; i++) {
    if (typeof current !== 'object' || current === null || Array.isArray(current)) return undefined;
    const name = names[i] as string;
    if (!Object.hasOwn(current, name)) return undefined;
    current = (current as { readonly [name: string]: JsonValue })[name];
  }
  return current;
}
