import { emptyJsonObject } from '../json/object.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';

/** The keys on the way to a property. */
export type PropertyPath = readonly string[];

/**
 * > a dot-separated string, where each segment is the name of a property; `\.` and `\\` stand for a dot and a backslash
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths}
 */
export function parsePropertyPath(text: string): PropertyPath {
  const segments: string[] = [];
  let segment = '';
  for (let index = 0; index < text.length; index++) {
    const unit = text[index] ?? '';
    const next = text[index + 1];
    if (unit === '\\' && (next === '.' || next === '\\')) {
      segment += next;
      index += 1;
    } else if (unit === '.') {
      segments.push(segment);
      segment = '';
    } else segment += unit;
  }
  return [...segments, segment];
}

/** A copy with only the properties that the paths lead to. */
export function pickFields(event: JsonObject, paths: readonly PropertyPath[]): JsonObject {
  const picked = emptyJsonObject();
  for (const path of paths) pick(event, path, picked);
  return picked;
}

function pick(source: JsonObject, path: PropertyPath, target: { [key: string]: JsonValue }): void {
  const [key, ...rest] = path;
  if (key === undefined || !Object.hasOwn(source, key)) return;
  const value = source[key] as JsonValue;
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  if (!isJsonObject(value)) return;
  const already = target[key];
  // What another path took whole must not be written into: it is the event's own.
  if (already === value) return;
  const inner: { [key: string]: JsonValue } = isJsonObject(already) ? { ...already } : emptyJsonObject();
  pick(value, rest, inner);
  if (Object.keys(inner).length > 0) target[key] = inner;
}
