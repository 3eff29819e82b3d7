/** An operation of the spec: the data behind `conformance/spec-operations.json`. */
export type SpecOperation = {
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

export type ModuleCoverage = {
  readonly module: string;
  readonly served: readonly SpecOperation[];
  readonly missing: readonly SpecOperation[];
};

/** What of the spec is served, module by module. */
export function coverSpec(operations: readonly SpecOperation[], served: readonly Served[]): readonly ModuleCoverage[] {
  const shapes = new Set(
    served.flatMap(({ method, path, unstablePaths = [] }) => [path, ...unstablePaths].map((p) => shapeOf(method, p))),
  );
  const isServed = ({ method, path }: SpecOperation) => shapes.has(shapeOf(method, path));
  return [...Map.groupBy(operations, ({ module }) => module)].map(([module, ofModule]) => ({
    module,
    served: ofModule.filter(isServed),
    missing: ofModule.filter((operation) => !isServed(operation)),
  }));
}
