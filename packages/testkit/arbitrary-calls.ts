import * as fc from 'fast-check';
import type { TObject, TSchema } from 'typebox';
import { anyText, nearly } from './arbitrary-json.ts';

/** What an endpoint declares of what it is called with. */
export type Callable = {
  readonly path: string;
  readonly query?: TObject | undefined;
  readonly body?: TSchema | undefined;
};

/** Names of parameters of a path, and what they usually are. */
export type Usual = (name: string) => readonly string[];

function pathSegment(usual: readonly string[]): fc.Arbitrary<string> {
  const encoded = fc.oneof(fc.constantFrom(...usual), anyText).map((text) => encodeURIComponent(text.toWellFormed()));
  return fc.oneof({ weight: 9, arbitrary: encoded }, fc.constantFrom('%', '%zz', '%ff', '%2e%2e', '%2F'));
}

function queryValue(schema: TSchema): fc.Arbitrary<string> {
  const encoded = nearly(schema).map((value) =>
    encodeURIComponent((typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed()),
  );
  return fc.oneof({ weight: 9, arbitrary: encoded }, fc.constantFrom('%', '&', '=', '+'));
}

/** A long poll that waits has nothing to tell here. */
const atOnce = fc.constantFrom('0', '1', '-1', 'soon', '%');

/** Addresses of an endpoint: of what there is, of what there is not, and of what can be none. */
export function anyAddress({ path, query }: Callable, usual: Usual): fc.Arbitrary<string> {
  const segments = path
    .split('/')
    .map((part) => (part.startsWith(':') ? pathSegment(usual(part.slice(1))) : fc.constant(part)));
  const parameters = Object.entries(query?.properties ?? {}).map(([name, schema]) =>
    fc.option((name === 'timeout' ? atOnce : queryValue(schema)).map((value) => `${name}=${value}`)),
  );
  return fc.tuple(fc.tuple(...segments), fc.tuple(...parameters)).map(([parts, given]) => {
    const text = given.filter((parameter) => parameter !== null).join('&');
    return parts.join('/') + (text === '' ? '' : `?${text}`);
  });
}
