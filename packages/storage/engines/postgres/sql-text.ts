import { uncommentFor } from '../shared-text.ts';

/**
 * The position of a set is known only to the server, which holds the counter: its parameter is how far the position is
 * behind the last one of the group.
 */
export function toPostgresText(text: string): string {
  return text.replace(/position\(\$(\d+)\)/g, '((select position from position_counter) - $$$1)');
}

/** Text compares bytewise, whatever the database's own collation is. */
export function toPostgresDdl(ddl: string): string {
  return uncommentFor('postgres', ddl).replace(/\b(?!as\b)(\w+\s+)text\b/gi, '$1text collate "C"');
}
