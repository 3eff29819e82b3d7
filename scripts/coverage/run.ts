import { lookAtCoverage } from './look.ts';

/** `npm run coverage:spec`: what of the client-server API is served, module by module, and why the rest is not. */
const modules = lookAtCoverage();
const all = modules.flatMap(({ operations }) => operations);
for (const { module, operations } of modules) {
  const served = operations.filter(({ isServed }) => isServed).length;
  const isFine = operations.every(({ isServed, excuse, lacks }) => (isServed ? lacks.length === 0 : excuse));
  const mark = served === operations.length ? '✔' : '–';
  process.stdout.write(`${isFine ? mark : '✖'} ${module}: ${served} of ${operations.length}\n`);
  for (const { operation, isServed, excuse, lacks } of operations) {
    const { method, path, operationId } = operation;
    if (!isServed) process.stdout.write(`    ${method} ${path} (${operationId}): ${excuse ?? 'missing'}\n`);
    for (const what of lacks) process.stdout.write(`    ${method} ${path} (${operationId}) lacks: ${what}\n`);
  }
}
const served = all.filter(({ isServed }) => isServed).length;
const excused = all.filter(({ excuse }) => excuse !== undefined).length;
process.stdout.write(
  `${served} of ${all.length} operations of the client-server API are served; ${excused} are not for this server.\n`,
);
