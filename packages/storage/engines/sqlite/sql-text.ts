import { uncommentFor } from '../shared-text.ts';

/**
 * `$n` becomes `?n`; `position($n)` too, since the writer thread binds the position itself. A bare parameter after `limit`
 * is something SQLite plans by: it would prepare the statement anew at every execution.
 */
export function toSqliteText(text: string): string {
  return text
    .replace(/position\(\$(\d+)\)/g, '?$1')
    .replace(/\blimit \$(\d+)/gi, 'limit cast(?$1 as integer)')
    .replace(/\$(\d+)/g, '?$1');
}

/** Only `integer primary key`, to the letter, makes a column the row ID. */
export function toSqliteDdl(ddl: string): string {
  return uncommentFor('sqlite', ddl)
    .replace(/\bbigint(?=\s+primary\s+key\b)/gi, 'integer')
    .replace(/\bbytea\b/gi, 'blob');
}
