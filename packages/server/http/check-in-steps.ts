import { emptyJsonObject, type JsonValue } from '@portico/protocol';
import type { TSchema } from 'typebox';
import type { ErrorReason } from '../errors/table.ts';
import { lazyValidator, refuseInvalid } from './validate.ts';

type Schema = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
};

/** Throws what is wrong with a value. Yields between its members. `path`: where it is, as messages name it. */
export type StepwiseCheck = (value: unknown, wrongType: ErrorReason, path?: string) => Generator<void, void, void>;

/** How many members are looked at before others may have their turn. */
const usualMembersAtOnce = 64;

/**
 * Checks what may be long member by member: whether one of ten thousand members is as it should be takes no time, and whether all
 * are takes longer than anybody should have to wait. What has a fixed form is checked at once.
 */
export function stepwiseCheck(schema: TSchema, membersAtOnce = usualMembersAtOnce): StepwiseCheck {
  const given = schema as Schema;
  return checkOf(given, membersAtOnce) ?? wholeCheck(given);
}

function checkOf(schema: Schema, membersAtOnce: number): StepwiseCheck | undefined {
  const { type, properties, patternProperties = {} } = schema;
  if (type === 'array') return boundedListCheck(schema, membersAtOnce);
  if (type !== 'object') return undefined;
  const [member, ...others] = Object.values(patternProperties);
  if (member !== undefined && others.length === 0 && isPlain(schema)) return recordCheck(schema, member, membersAtOnce);
  return member === undefined && properties !== undefined ? fieldsCheck(schema, properties, membersAtOnce) : undefined;
}

/** Nothing is said of how many members there are, or how they go together. */
const isPlain = (schema: Schema): boolean => Object.keys(schema).every((name) => ofMembers.has(name));
const ofMembers = new Set(['type', 'items', 'patternProperties', 'additionalProperties', 'title', 'description']);

function wholeCheck(schema: Schema): StepwiseCheck {
  const validator = lazyValidator(() => schema);
  // eslint-disable-next-line require-yield -- it is one step
  return function* (value, wrongType, path = '') {
    if (!validator().Check(value)) refuseInvalid(validator(), value, wrongType, path);
  };
}

const isPlainObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object whose members have names of their own: their names are checked together with short pieces of it. */
function recordCheck(schema: Schema, member: Schema, membersAtOnce: number): StepwiseCheck {
  const inner = checkOf(member, membersAtOnce);
  const names = wholeCheck(withMembers(schema, inner === undefined ? member : {}));
  return function* (value, wrongType, path = '') {
    if (!isPlainObject(value)) {
      yield* names(value, wrongType, path);
      return;
    }
    let piece = emptyJsonObject();
    let count = 0;
    for (const name in value) {
      piece[name] = value[name] as JsonValue;
      if (++count < membersAtOnce) continue;
      yield* names(piece, wrongType, path);
      yield;
      piece = emptyJsonObject();
      count = 0;
    }
    yield* names(piece, wrongType, path);
    if (inner === undefined) return;
    for (const name in value) yield* inner(value[name], wrongType, `${path}/${name}`);
  };
}

function withMembers(schema: Schema, member: Schema): Schema {
  const patterns = Object.keys(schema.patternProperties ?? {}).map((pattern) => [pattern, member] as const);
  return { ...schema, patternProperties: Object.fromEntries(patterns) };
}

function listCheck(schema: Schema, item: Schema, membersAtOnce: number): StepwiseCheck {
  const inner = checkOf(item, membersAtOnce);
  const pieces = wholeCheck(inner === undefined ? schema : { ...schema, items: {} });
  return function* (value, wrongType, path = '') {
    if (!Array.isArray(value) || value.length <= membersAtOnce) yield* pieces(value, wrongType, path);
    else {
      for (let at = 0; at < value.length; at += membersAtOnce) {
        yield* pieces(value.slice(at, at + membersAtOnce), wrongType, path);
        yield;
      }
    }
    if (inner === undefined) return;
    for (const [index, element] of (value as unknown[]).entries()) yield* inner(element, wrongType, `${path}/${index}`);
  };
}

/** A list that is too long is refused before anything in it is looked at. */
function boundedListCheck(schema: Schema, membersAtOnce: number): StepwiseCheck | undefined {
  const { minItems, maxItems, ...unbounded } = schema;
  const { items, ...bounds } = schema;
  if (items === undefined || !isPlain(unbounded)) return undefined;
  const members = listCheck(unbounded, items, membersAtOnce);
  if (minItems === undefined && maxItems === undefined) return members;
  const length = wholeCheck(bounds);
  return function* (value, wrongType, path = '') {
    yield* length(value, wrongType, path);
    yield* members(value, wrongType, path);
  };
}

/** An object with named fields: what may be long in it is looked at by itself. */
function fieldsCheck(
  schema: Schema,
  properties: Readonly<Record<string, Schema>>,
  membersAtOnce: number,
): StepwiseCheck | undefined {
  const long = Object.entries(properties).flatMap(([name, field]) => {
    const check = checkOf(field, membersAtOnce);
    return check === undefined ? [] : [[name, check] as const];
  });
  if (long.length === 0) return undefined;
  const others = wholeCheck({
    ...schema,
    properties: { ...properties, ...Object.fromEntries(long.map(([n]) => [n, {}])) },
  });
  return function* (value, wrongType, path = '') {
    yield* others(value, wrongType, path);
    for (const [name, check] of long) {
      const field = (value as Record<string, unknown>)[name];
      if (field !== undefined) yield* check(field, wrongType, `${path}/${name}`);
    }
  };
}
