export * from './sql.ts';
export * from './database.ts';
export * from './errors.ts';
export * from './write-set.ts';
export * from './open.ts';
export { SchemaTooNewError } from './engines/migrate.ts';
export { createFailpoints, failpointFromSeed, failpointNames, parseFailpoint } from './engines/failpoints.ts';
