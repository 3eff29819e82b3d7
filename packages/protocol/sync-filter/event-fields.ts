import { emptyJsonObject } from '../json/object.ts';
import { parsePropertyPath } from '../json/property-path.ts';
import { isJsonObject, type JsonObject } from '../json/value.ts';

/** What is wanted of an object: of each of its properties all, or some of what is in it. */
export type EventFields = ReadonlyMap<string, 'all' | EventFields>;

type Growing = Map<string, 'all' | Growing>;

/** Put together, as an event is looked through once for all of them: there can be thousands. */
export function parseEventFields(texts: readonly string[]): EventFields {
  const fields: Growing = new Map();
  for (const text of texts) add(fields, parsePropertyPath(text));
  return fields;
}

function add(fields: Growing, path: readonly string[]): void {
  let level = fields;
  for (const name of path.slice(0, -1)) {
    const known = level.get(name);
    if (known === 'all') return;
    const next: Growing = known ?? new Map();
    if (known === undefined) level.set(name, next);
    level = next;
  }
  level.set(path.at(-1) ?? '', 'all');
}

/** A copy with nothing but these. */
export function pickFields(event: JsonObject, fields: EventFields): JsonObject {
  const picked = emptyJsonObject();
  for (const [name, value] of Object.entries(event)) {
    const wanted = fields.get(name);
    if (wanted === 'all') picked[name] = value;
    else if (wanted !== undefined && isJsonObject(value)) {
      const some = pickFields(value, wanted);
      if (Object.keys(some).length > 0) picked[name] = some;
    }
  }
  return picked;
}
