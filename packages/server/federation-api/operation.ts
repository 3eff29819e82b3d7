import type { Static, TObject, TSchema } from 'typebox';

/** Something that servers ask of each other: declared once, for our route and for our requests. */
export type Operation<
  A extends 'none' | 'server' = 'none' | 'server',
  P extends TObject | undefined = TObject | undefined,
  Q extends TObject | undefined = TObject | undefined,
  B extends TSchema | undefined = TSchema | undefined,
  R extends TSchema = TSchema,
> = {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** With `:name` for parameters. */
  readonly path: string;
  readonly unstablePaths?: readonly string[];
  readonly operationId: string;
  readonly summary: string;
  /** `server`: the request is signed. */
  readonly auth: A;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Bytes of a request that we read; 1 MiB if absent. */
  readonly bodyLimit?: number;
  readonly response: R;
  /** Bytes of an answer that we read. */
  readonly answerLimit: number;
  /** Milliseconds that an answer may take, to its last byte. */
  readonly timeout: number;
};

export function operation<
  A extends 'none' | 'server',
  R extends TSchema,
  P extends TObject | undefined = undefined,
  Q extends TObject | undefined = undefined,
  B extends TSchema | undefined = undefined,
>(declaration: Operation<A, P, Q, B, R>): Operation<A, P, Q, B, R> {
  return declaration;
}

type Part<Name extends string, S> = S extends TSchema ? { readonly [K in Name]: Static<S> } : object;

/** What a caller gives: the parts that the operation declares, and no others. */
export type Input<P, Q, B> = Part<'params', P> & Part<'query', Q> & Part<'body', B>;

/** The path of a request, with parameters and query filled in. */
export function targetOf(
  { path }: Pick<Operation, 'path'>,
  params: Readonly<Record<string, unknown>> = {},
  query: Readonly<Record<string, unknown>> = {},
): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(params[name])));
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    return values.map((single) => `${encodeURIComponent(name)}=${encodeURIComponent(String(single))}`);
  });
  return pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`;
}
