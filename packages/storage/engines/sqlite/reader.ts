import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Reader } from '../../database.ts';
import type { Sql } from '../../sql.ts';
import { toSqliteText } from './sql-text.ts';
import { toInputs, toRow } from './values.ts';

export type RawRows = { readonly columns: readonly string[]; readonly rows: readonly (readonly never[])[] };

/** Runs a statement by its text, prepared once. */
export function createStatementCache(db: DatabaseSync): (text: string, params: readonly SQLInputValue[]) => RawRows {
  const known = new Map<string, { statement: StatementSync; columns: readonly string[] }>();

  return (text, params) => {
    let found = known.get(text);
    if (found === undefined) {
      const statement = db.prepare(toSqliteText(text));
      statement.setReturnArrays(true);
      found = { statement, columns: statement.columns().map(({ name }) => name) };
      known.set(text, found);
    }
    return { columns: found.columns, rows: found.statement.all(...params) as unknown as readonly (readonly never[])[] };
  };
}

/** Point reads and short pages, on the calling thread: a reader thread would cost more than the read. */
export function createReader(db: DatabaseSync): Reader {
  const read = createStatementCache(db);

  return {
    // Asynchronous, so that what goes wrong is a rejection as it is on PostgreSQL.
    async all<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params): Promise<Row[]> {
      const { columns, rows } = read(statement.text, toInputs(params));
      return rows.map((row) => toRow(columns, row) as Row);
    },
    async get<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params) {
      const { columns, rows } = read(statement.text, toInputs(params));
      return rows[0] === undefined ? undefined : (toRow(columns, rows[0]) as Row);
    },
  };
}
