import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';

/** Reads fields of one object, and notes the first one that has the wrong type. */
export type FieldReader = {
  strings(name: string): readonly string[] | undefined;
  flag(name: string): boolean | undefined;
  count(name: string): number | undefined;
  /** Identifiers that begin with that character. */
  ids(name: string, sigil: '!' | '@'): readonly string[] | undefined;
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
    count: (name) => read(name, asCount, 'an integer that is not negative'),
    ids(name, sigil) {
      const kind = sigil === '!' ? 'room' : 'user';
      return read(name, (field) => asIds(field, sigil), `a list of ${kind} IDs`);
    },
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

function asIds(field: JsonValue, sigil: string): readonly string[] | undefined {
  return asStrings(field)?.every((entry) => entry.startsWith(sigil)) === true ? asStrings(field) : undefined;
}

function asCount(field: JsonValue): number | undefined {
  return typeof field === 'number' && Number.isSafeInteger(field) && field >= 0 ? field : undefined;
}
