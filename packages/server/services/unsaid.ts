import { emptyJsonObject, type JsonObject } from '@portico/protocol';
import type { TSchema } from 'typebox';

type Schema = { readonly type?: unknown; readonly minLength?: number; readonly anyOf?: readonly Schema[] };

type Fields = {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
};

/**
 * Takes the fields out of a body or an answer that may be left out and are `null`, or empty where that says nothing. Programs in
 * use write a field that they have no value for like that, the reason of a kick for example, and the spec does not say what it
 * would mean otherwise. A field that can be `null` stays, and so does one that must be there: that is refused.
 */
export function leaveOutUnsaid(schema: TSchema): (body: unknown) => unknown {
  const { properties = {}, required = [] } = schema as Fields;
  const nulls = Object.keys(properties).filter(
    (name) => !required.includes(name) && refusesNull(properties[name] ?? {}),
  );
  const empties = unsaidIfEmpty(schema);
  const isUnsaid = (name: string, value: unknown): boolean =>
    (value === null && nulls.includes(name)) || (value === '' && empties.has(name));
  return (body) => {
    if (!isObject(body) || !nulls.some((name) => isUnsaid(name, body[name]))) return body;
    const left = emptyJsonObject();
    for (const [name, value] of Object.entries(body)) if (!isUnsaid(name, value)) left[name] = value;
    return left;
  };
}

/** The names of texts that may be left out and cannot be empty, of a body or a query: an empty one is as good as none. */
export function unsaidIfEmpty(schema: TSchema): ReadonlySet<string> {
  const { properties = {}, required = [] } = schema as Fields;
  const names = Object.entries(properties).filter(([, { type, minLength = 0 }]) => type === 'string' && minLength > 0);
  return new Set(names.map(([name]) => name).filter((name) => !required.includes(name)));
}

const isObject = (body: unknown): body is JsonObject =>
  typeof body === 'object' && body !== null && !Array.isArray(body);

/** Of a schema that says neither what type it is of nor which others it is made of, that cannot be told. */
function refusesNull({ type, anyOf }: Schema): boolean {
  return typeof type === 'string' ? type !== 'null' : anyOf?.every(refusesNull) === true;
}
