import type { TSchema } from 'typebox';

/**
 * An object with named fields none of which is required: a request may leave such a body out. Of one without named fields
 * the whole is the point.
 */
export function isAllOptional(schema: TSchema): boolean {
  const { properties = {}, required = [] } = schema as { properties?: object; required?: readonly string[] };
  return Object.keys(properties).length > 0 && required.length === 0;
}
