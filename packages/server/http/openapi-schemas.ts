import type { TSchema } from 'typebox';

type Json = { readonly [key: string]: unknown };

/** The schemas of objects, each under its title and only once. */
export interface ObjectSchemas {
  /** A schema as operations have it: objects are references. `name`: the title of an object that has none of its own. */
  place(schema: TSchema, name: string): unknown;
  all(): Json;
}

export function schemaRef(title: string): Json {
  return { $ref: `#/components/schemas/${title}` };
}

function isObjectSchema({ type }: Json): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object'));
}

/** `m.login_flow` as `MLoginFlow`: what a component may be called, in the way that titles are written. */
export function titleOf(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}

export function createObjectSchemas(): ObjectSchemas {
  const known = new Map<string, unknown>();

  function keep(title: string, schema: Json): Json {
    const before = known.get(title);
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(schema)) {
      throw new Error(`Two different schemas have the title ${title}`);
    }
    known.set(title, schema);
    return schemaRef(title);
  }

  function placeEach(schemas: object, nameOf: (key: string) => string): Json {
    return Object.fromEntries(Object.entries(schemas).map(([key, part]) => [key, place(part, nameOf(key))]));
  }

  /** The keywords of which other schemas are part. */
  function placePart(keyword: string, value: unknown, name: string): unknown {
    if (typeof value !== 'object' || value === null) return value;
    switch (keyword) {
      case 'properties':
        return placeEach(value, (property) => name + titleOf(property));
      case 'patternProperties':
        return placeEach(value, () => `${name}Value`);
      case 'additionalProperties':
        return place(value, `${name}Value`);
      case 'items':
        return place(value, `${name}Item`);
      case 'anyOf':
      case 'allOf':
      case 'oneOf':
        return (value as readonly unknown[]).map((part, index) => place(part, `${name}Option${index + 1}`));
      default:
        return value;
    }
  }

  function place(schema: unknown, name: string): unknown {
    if (typeof schema !== 'object' || schema === null) return schema;
    const { title, ...rest } = schema as Json;
    const ownName = typeof title === 'string' ? title : name;
    const parts = Object.entries(rest).map(
      ([keyword, value]) => [keyword, placePart(keyword, value, ownName)] as const,
    );
    const copy: Json = Object.fromEntries(parts);
    if (typeof title === 'string' || isObjectSchema(copy)) return keep(ownName, { title: ownName, ...copy });
    return copy;
  }

  return { place, all: () => Object.fromEntries(known) };
}
