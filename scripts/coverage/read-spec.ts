import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { fieldsOf } from './spec-fields.ts';
import type { SpecOperation } from './spec-operations.ts';

/**
 * Takes the operations out of a checkout of the spec's OpenAPI documents (`data/api/client-server` of matrix-spec) and keeps
 * them as data: `node_modules/.bin/node scripts/coverage/read-spec.ts FOLDER`.
 */
type Document = {
  readonly servers?: readonly { readonly variables?: { readonly basePath?: { readonly default?: string } } }[];
  readonly paths?: Readonly<Record<string, PathItem>>;
};

type PathItem = Readonly<Record<string, { readonly operationId?: string; readonly [field: string]: unknown }>>;

const methods = new Set(['get', 'put', 'post', 'delete', 'patch']);

function operationsOf(file: string, text: string): SpecOperation[] {
  const { servers = [], paths = {} } = parse(text) as Document;
  const base = servers[0]?.variables?.basePath?.default ?? '';
  return Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod)
      .filter(([method]) => methods.has(method))
      .map(([method, operation]) => ({
        module: basename(file, '.yaml'),
        operationId: operation.operationId ?? '',
        method: method.toUpperCase(),
        path: `${base}${path}`.trim(),
        ...fieldsOf(operation, file),
      })),
  );
}

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write(
    'Usage: read-spec.ts FOLDER, where FOLDER holds the OpenAPI documents of the client-server API\n',
  );
  process.exit(2);
}
const operations = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .toSorted()
  .flatMap((file) => operationsOf(join(folder, file), readFileSync(join(folder, file), 'utf8')));
const target = join(import.meta.dirname, '../../conformance/spec-operations.json');
writeFileSync(target, `[\n${operations.map((operation) => `  ${JSON.stringify(operation)}`).join(',\n')}\n]\n`);
