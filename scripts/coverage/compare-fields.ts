import type { SpecOperation } from './spec-operations.ts';

type Schema = { readonly properties?: object; readonly anyOf?: readonly Schema[]; readonly allOf?: readonly Schema[] };
export type Declared = {
  readonly operationId: string;
  readonly query?: Schema | undefined;
  readonly body?: Schema | undefined;
  readonly response: Schema;
  readonly alternative?: { readonly operationId: string } | undefined;
};

function namesIn(schema: Schema | undefined): string[] {
  const parts = [...(schema?.anyOf ?? []), ...(schema?.allOf ?? [])];
  return [...Object.keys(schema?.properties ?? {}), ...parts.flatMap(namesIn)];
}

/** In what an endpoint's declaration falls short of the spec's, each as `where name`. An object without named fields takes any. */
export function compareFields(operation: SpecOperation, declared: Declared): readonly string[] {
  const { operationId, alternative, query, body, response } = declared;
  const missing = (where: string, wanted: readonly string[], names: readonly string[]) =>
    wanted.filter((name) => !names.includes(name)).map((name) => `${where} ${name}`);
  const [taken, answered] = [namesIn(body), namesIn(response)];
  return [
    ...([operationId, alternative?.operationId].includes(operation.operationId) ? [] : [`operation ${operationId}`]),
    ...missing('query', operation.query, namesIn(query)),
    ...(body !== undefined && taken.length === 0 ? [] : missing('body', operation.body, taken)),
    ...(answered.length === 0 ? [] : missing('answer', operation.answer, answered)),
  ];
}
