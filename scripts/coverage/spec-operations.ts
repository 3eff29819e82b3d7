import type { SpecFields } from './spec-fields.ts';

/** An operation of the spec: the data behind `conformance/spec-operations.json`. */
export type SpecOperation = SpecFields & {
  /** The module: a file of the spec's OpenAPI documents. */
  readonly module: string;
  readonly operationId: string;
  readonly method: string;
  readonly path: string;
};

type Served = { readonly method: string; readonly path: string; readonly unstablePaths?: readonly string[] };

/** Without the names of parameters, of which both sides have their own. */
function shapeOf(method: string, path: string): string {
  return `${method} ${path
    .trim()
    .replaceAll(/\{[^}]*\}|:\w+/g, '*')
    .replace(/(?<=.)\/$/, '')}`;
}

export type Covered<S> = { readonly operation: SpecOperation; readonly by: S | undefined };
export type ModuleCoverage<S> = { readonly module: string; readonly operations: readonly Covered<S>[] };

/** By what each operation of the spec is served, module by module. */
export function coverSpec<S extends Served>(
  operations: readonly SpecOperation[],
  served: readonly S[],
): readonly ModuleCoverage<S>[] {
  const byShape = new Map(
    served.flatMap((by) => [by.path, ...(by.unstablePaths ?? [])].map((path) => [shapeOf(by.method, path), by])),
  );
  return [...Map.groupBy(operations, ({ module }) => module)].map(([module, ofModule]) => ({
    module,
    operations: ofModule.map((operation) => ({
      operation,
      by: byShape.get(shapeOf(operation.method, operation.path)),
    })),
  }));
}
