import { emptyJsonObject } from '../json/object.ts';
import type { PropertyPath } from '../json/property-path.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';

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
  // A copy, for what another path took whole is the event's own; without a prototype, as one of its keys may be `__proto__`.
  const inner = Object.assign(emptyJsonObject(), target[key]);
  pick(value, rest, inner);
  if (Object.keys(inner).length > 0) target[key] = inner;
}
