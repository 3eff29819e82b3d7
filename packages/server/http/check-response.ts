import type { TSchema } from 'typebox';
import type { Declaration } from './endpoint.ts';
import { Bytes, ByteStream } from './bytes.ts';
import { Page, RawJson, Reply } from './result.ts';
import { lazyValidator } from './validate.ts';

/** For tests: throws where a result is not what its endpoint's declaration says. */
export function createResponseCheck(): (declaration: Declaration, result: unknown) => void {
  const validators = new Map<TSchema, ReturnType<typeof lazyValidator>>();
  return ({ operationId, response }, result) => {
    if (result instanceof Reply || result instanceof Page || result instanceof Bytes || result instanceof ByteStream)
      return;
    // What the client gets, without the `undefined` fields that JSON leaves out.
    const text = result instanceof RawJson ? result.text : JSON.stringify(result);
    const validator = validators.get(response) ?? lazyValidator(() => response);
    validators.set(response, validator);
    const [error] = validator().Errors(JSON.parse(text));
    if (error !== undefined) {
      throw new Error(`${operationId} answers what it does not declare: ${error.instancePath} ${error.message}`);
    }
  };
}
