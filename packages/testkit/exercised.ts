import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Notes which endpoints have given an answer to a test, by operation ID, in the folder that `PORTICO_TEST_EXERCISED` names. A
 * run of all tests looks there for endpoints that none of them uses.
 */
export function createExercisedLog(): (operationId: string) => void {
  const folder = process.env['PORTICO_TEST_EXERCISED'];
  if (folder === undefined) return () => undefined;
  const file = join(folder, String(process.pid));
  const noted = new Set<string>();
  return (operationId) => {
    if (noted.has(operationId)) return;
    noted.add(operationId);
    appendFileSync(file, `${operationId}\n`);
  };
}
