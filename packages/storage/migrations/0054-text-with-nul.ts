import type { Migration } from './migration.ts';

/**
 * PostgreSQL gets its functions that take JSON apart anew with each change of the schema: they know the form in which it keeps NUL
 * from here on. Nothing is stored otherwise than before: it has refused NUL until now.
 */
export const textWithNul: Migration = { version: 54, name: 'text-with-nul', statements: [] };
