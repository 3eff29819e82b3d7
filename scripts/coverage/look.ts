import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientEndpoints } from '../../packages/server/http/client/index.ts';
import { oauthEndpoints } from '../../packages/server/http/client/oauth/index.ts';
import { rendezvousEndpoints } from '../../packages/server/http/client/rendezvous/index.ts';
import { compareFields } from './compare-fields.ts';
import { coverSpec, type SpecOperation } from './spec-operations.ts';

const folder = join(import.meta.dirname, '../../conformance');
const read = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));

type Reasons = Readonly<Record<string, string>>;

export type Looked = {
  readonly module: string;
  readonly operations: readonly {
    readonly operation: SpecOperation;
    readonly isServed: boolean;
    /** Why it is not served; `undefined` for one that is, and for one that nobody has an excuse for. */
    readonly excuse: string | undefined;
    /** What its declaration lacks and has no excuse for. */
    readonly lacks: readonly string[];
  }[];
};

/** Holds the endpoints for clients against the spec's own documents. */
export function lookAtCoverage(): readonly Looked[] {
  const { operations: excuses, fields } = read('spec-exceptions.json') as { operations: Reasons; fields: Reasons };
  const spec = read('spec-operations.json') as readonly SpecOperation[];
  const declarations = [...clientEndpoints, ...oauthEndpoints, ...rendezvousEndpoints].map(
    ({ declaration }) => declaration,
  );
  return coverSpec(spec, declarations).map(({ module, operations }) => ({
    module,
    operations: operations.map(({ operation, by }) => {
      const lacks = by === undefined ? [] : compareFields(operation, by);
      return {
        operation,
        isServed: by !== undefined,
        excuse: by === undefined ? excuses[operation.operationId] : undefined,
        lacks: lacks.filter((what) => fields[`${operation.operationId} ${what}`] === undefined),
      };
    }),
  }));
}
