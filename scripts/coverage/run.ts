import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clientEndpoints } from '../../packages/server/http/client/index.ts';
import { coverSpec, type SpecOperation } from './spec-operations.ts';

/** `npm run coverage:spec`: what of the client-server API is served, module by module. */
const file = join(import.meta.dirname, '../../conformance/spec-operations.json');
const operations = JSON.parse(readFileSync(file, 'utf8')) as readonly SpecOperation[];
const modules = coverSpec(
  operations,
  clientEndpoints.map(({ declaration }) => declaration),
);
for (const { module, served, missing } of modules) {
  const all = served.length + missing.length;
  process.stdout.write(`${missing.length === 0 ? '✔' : '✖'} ${module}: ${served.length} of ${all}\n`);
  for (const { method, path, operationId } of missing) process.stdout.write(`    ${method} ${path} (${operationId})\n`);
}
const served = modules.reduce((sum, each) => sum + each.served.length, 0);
process.stdout.write(`${served} of ${operations.length} operations of the client-server API are served.\n`);
