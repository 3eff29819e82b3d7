import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';

/** Reads fields of one object, and notes the first one that has the wrong type. */
export type FieldReader = {
  strings(name: string): readonly string[] | undefined;
  flag(name: string): boolean | undefined;
  positiveInteger(name: string): number | undefined;
  object(name: string): FieldReader;
  oneOf<T extends string>(name: string, values: readonly T[]): T | undefined;
};

/** What is wrong, for a person: which field and what it has to be. */
export type Problems = { first: string | undefined };

const nothing: JsonObject = {};

export function createFieldReader(value: JsonObject, path: string, problems: Problems): FieldReader {
  function read<T>(name: string, accepts: (field: JsonValue) => T | undefined, expected: string): T | undefined {
    if (!Object.hasOwn(value, name)) return undefined;
    const field = value[name] as JsonValue;
    // Clients write null for what they leave out.
    if (field === null) return undefined;
    const accepted = accepts(field);
    if (accepted === undefined) problems.first ??= `${path}${name} must be ${expected}`;
    return accepted;
  }
  return {
    strings: (name) => read(name, asStrings, 'a list of strings'),
    flag: (name) => read(name, (field) => (typeof field === 'boolean' ? field : undefined), 'true or false'),
    positiveInteger: (name) => read(name, asPositiveInteger, 'an integer greater than 0'),
    object(name) {
      const object = read(name, (field) => (isJsonObject(field) ? field : undefined), 'an object');
      return createFieldReader(object ?? nothing, `${path}${name}.`, problems);
    },
    oneOf(name, values) {
      return read(name, (field) => values.find((allowed) => allowed === field), `one of ${values.join(', ')}`);
    },
  };
}

function asStrings(field: JsonValue): readonly string[] | undefined {
  if (!Array.isArray(field)) return undefined;
  const list: readonly JsonValue[] = field;
  return list.every((entry): entry is string => typeof entry === 'string') ? list : undefined;
}

function asPositiveInteger(field: JsonValue): number | undefined {
  return typeof field === 'number' && Number.isSafeInteger(field) && field > 0 ? field : undefined;
}
