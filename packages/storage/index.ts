export * from './sql.ts';
export * from './database.ts';
export * from './errors.ts';
