import { emptyJsonObject, type JsonObject } from '@portico/protocol';
import type { TSchema } from 'typebox';

type Schema = { readonly type?: unknown; readonly anyOf?: readonly Schema[] };

/**
 * Takes the fields out of a body that may be left out and are `null`. Programs in use write a field that they have no value
 * for like that, the reason of a kick for example, and the spec does not say what it would mean otherwise. A field that can be
 * `null` stays, and so does one that must be there: that is refused.
 */
export function leaveOutNulls(schema: TSchema): (body: unknown) => unknown {
  const { properties = {}, required = [] } = schema as {
    properties?: Readonly<Record<string, Schema>>;
    required?: readonly string[];
  };
  const names = Object.keys(properties).filter(
    (name) => !required.includes(name) && refusesNull(properties[name] ?? {}),
  );
  return (body) => {
    if (!isObject(body) || !names.some((name) => body[name] === null)) return body;
    const left = emptyJsonObject();
    for (const [name, value] of Object.entries(body)) {
      if (value !== null || !names.includes(name)) left[name] = value;
    }
    return left;
  };
}

const isObject = (body: unknown): body is JsonObject =>
  typeof body === 'object' && body !== null && !Array.isArray(body);

/** Of a schema that says neither what type it is of nor which others it is made of, that cannot be told. */
function refusesNull({ type, anyOf }: Schema): boolean {
  return typeof type === 'string' ? type !== 'null' : anyOf?.every(refusesNull) === true;
}
