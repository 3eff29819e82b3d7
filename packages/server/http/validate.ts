import { createRequire } from 'node:module';
import type { TSchema } from 'typebox';
import type { Validator } from 'typebox/compile';
import { MatrixError } from '../errors/matrix-error.ts';
import type { ErrorReason } from '../errors/table.ts';

const require = createRequire(import.meta.url);

/** Compiles on first use, and loads what compiles then: no start must pay for the schemas of endpoints that nobody calls. */
export function lazyValidator(schema: () => TSchema): () => Validator {
  let compiled: Validator | undefined;
  return () => {
    if (compiled === undefined) {
      const { Compile } = require('typebox/compile') as typeof import('typebox/compile');
      compiled = Compile(schema());
    }
    return compiled;
  };
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/**
 * Throws what is wrong with a value, which is at a path in what was sent, as a client developer wants to read it.
 *
 * `M_BAD_JSON` and `M_MISSING_PARAM` overlap in the spec; a missing field is the latter, as other servers answer.
 */
export function refuseInvalid(validator: Validator, value: unknown, wrongType: ErrorReason, path = ''): never {
  const error = validator.Errors(value)[0];
  if (error === undefined) throw new MatrixError(wrongType);
  const place = `${path}${error.instancePath}`.slice(1);
  if (error.keyword === 'required') {
    const names = error.params.requiredProperties.join(', ');
    throw new MatrixError('request.missing-param', { message: shorten(`Missing: ${names}`) });
  }
  if (error.keyword === 'pattern') {
    const message = `${place}: must be text without NUL and lone surrogates`;
    throw new MatrixError(wrongType, { message: shorten(message) });
  }
  const named = place === '' ? '' : `${place}: `;
  const allowed = allowedTexts(validator.Type(), error.schemaPath);
  if (allowed !== undefined) {
    throw new MatrixError(wrongType, { message: `${shorten(named)}must be one of ${allowed}` });
  }
  throw new MatrixError(wrongType, { message: shorten(`${named}${error.message}`) });
}

/** Where nothing but some texts may stand, all of them. `schemaPath` is the first of these. */
function allowedTexts(schema: unknown, schemaPath: string): string | undefined {
  const place = /^#(.*)\/anyOf\/0$/.exec(schemaPath)?.[1];
  if (place === undefined) return undefined;
  const choice = place.split('/').slice(1).reduce(fieldOf, schema);
  const allowed = fieldOf(choice, 'anyOf');
  if (!Array.isArray(allowed)) return undefined;
  const texts = allowed.map((one) => fieldOf(one, 'const'));
  return texts.every((text) => typeof text === 'string') ? texts.join(', ') : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

export function checkValid(validator: Validator, value: unknown, wrongType: ErrorReason): void {
  if (!validator.Check(value)) refuseInvalid(validator, value, wrongType);
}
