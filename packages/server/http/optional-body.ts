import type { TSchema } from 'typebox';

type ObjectSchema = {
  readonly properties?: object;
  readonly required?: readonly string[];
  /** Where some fields or others are required. */
  readonly anyOf?: readonly TSchema[];
};

/**
 * An object with named fields none of which is required: a request may leave such a body out. Of one without named fields
 * the whole is the point.
 */
export function isAllOptional(schema: TSchema): boolean {
  const { properties = {}, required = [], anyOf } = schema as ObjectSchema;
  return Object.keys(properties).length > 0 && required.length === 0 && anyOf === undefined;
}
