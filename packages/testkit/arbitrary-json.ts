import * as fc from 'fast-check';
import type { TSchema } from 'typebox';

type Loose = {
  readonly type?: string;
  readonly const?: unknown;
  readonly anyOf?: readonly TSchema[];
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly patternProperties?: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[];
  readonly items?: TSchema;
};

/** Texts that have broken servers before. */
const nastyText = fc.constantFrom(
  '',
  '\u0000',
  'a\u0000b',
  // What PostgreSQL keeps in place of NUL.
  '\uFDD0',
  '\uFDD00',
  '\\u0000',
  '__proto__',
  'constructor',
  '../..',
  '%00',
  "'; drop table accounts; --",
  '😀',
  '\ud800',
  '@a:b',
  '!r:b',
  'a'.repeat(300),
  '9'.repeat(20),
  '-1',
  '{}',
);

const text = fc.oneof(nastyText, fc.string({ maxLength: 20 }), fc.string({ unit: 'binary', maxLength: 10 }));
/** Any JSON, with such texts in it, as names of members, too. */
const anyJson = (maxDepth: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.anything({ key: text, values: [text, fc.integer(), fc.boolean()], maxDepth, maxKeys: 4 }),
    },
    fc.jsonValue({ maxDepth }),
  );
const integer = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(0, -1, 2 ** 53));

function object({ properties = {}, required = [] }: Loose): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, fitting(schema)]));
  const declared = fc.record(fields, { requiredKeys: required.filter((name) => Object.hasOwn(fields, name)) });
  return fc
    .tuple(declared, fc.dictionary(text, anyJson(2), { maxKeys: 2 }))
    .map(([known, extra]) => ({ ...extra, ...known }));
}

/** Values that a schema accepts. */
export function fitting(schema: TSchema): fc.Arbitrary<unknown> {
  const loose = schema as Loose;
  if ('const' in loose) return fc.constant(loose.const);
  if (loose.anyOf !== undefined) return fc.oneof(...loose.anyOf.map(fitting));
  switch (loose.type) {
    case 'string':
      return text;
    case 'integer':
      return integer;
    case 'number':
      return fc.oneof(integer, fc.double({ noNaN: true, noDefaultInfinity: true }));
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(loose.items === undefined ? anyJson(2) : fitting(loose.items), { maxLength: 4 });
    case 'object':
      return object(loose);
    case undefined:
    default:
      return anyJson(3);
  }
}

/** What a client may send where a schema is declared: mostly what fits, with a field of any kind, or anything at all. */
export function nearly(schema: TSchema): fc.Arbitrary<unknown> {
  const fits = fitting(schema);
  const names = Object.keys((schema as Loose).properties ?? {});
  if (names.length === 0) return fc.oneof({ weight: 3, arbitrary: fits }, anyJson(3));
  const damaged = fc
    .tuple(fits, fc.constantFrom(...names), fc.option(anyJson(2), { nil: undefined }))
    .map(([value, name, other]) => ({ ...(value as object), [name]: other }));
  return fc.oneof(
    { weight: 5, arbitrary: fits },
    { weight: 4, arbitrary: damaged },
    { weight: 1, arbitrary: anyJson(3) },
  );
}

export { text as anyText };
