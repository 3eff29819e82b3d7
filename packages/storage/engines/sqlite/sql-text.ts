import { uncommentFor } from '../shared-text.ts';

/** `$n` becomes `?n`; `position($n)` too, since the writer thread binds the position itself. */
export function toSqliteText(text: string): string {
  return text.replace(/position\(\$(\d+)\)/g, '?$1').replace(/\$(\d+)/g, '?$1');
}

/** Only `integer primary key`, to the letter, makes a column the row ID. */
export function toSqliteDdl(ddl: string): string {
  return uncommentFor('sqlite', ddl)
    .replace(/\bbigint(?=\s+primary\s+key\b)/gi, 'integer')
    .replace(/\bbytea\b/gi, 'blob');
}
