import type { Database } from '../database.ts';
import type { FullText } from './full-text.ts';
import { postgresFullText } from './postgres.ts';
import { sqliteFullText } from './sqlite.ts';

export function fullTextFor({ kind }: Pick<Database, 'kind'>): FullText {
  return kind === 'sqlite' ? sqliteFullText : postgresFullText;
}
