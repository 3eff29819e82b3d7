import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Reader } from '../../database.ts';
import type { Sql } from '../../sql.ts';
import { toSqliteText } from './sql-text.ts';
import { createMakeRow, type MakeRow, toInputs } from './values.ts';

export type Prepared = {
  readonly statement: StatementSync;
  readonly columns: readonly string[];
  readonly makeRow: MakeRow;
};

/** A statement by its text, prepared once. */
export function createStatementCache(db: DatabaseSync): (text: string) => Prepared {
  const known = new Map<string, Prepared>();

  return (text) => {
    let found = known.get(text);
    if (found === undefined) {
      const statement = db.prepare(toSqliteText(text));
      statement.setReturnArrays(true);
      const columns = statement.columns().map(({ name }) => name);
      found = { statement, columns, makeRow: createMakeRow(columns) };
      known.set(text, found);
    }
    return found;
  };
}

/** All rows, as arrays in the order of the columns. */
export function rowsOf({ statement }: Prepared, params: readonly unknown[]): readonly (readonly SQLOutputValue[])[] {
  return statement.all(...toInputs(params)) as unknown as readonly (readonly SQLOutputValue[])[];
}

/** Point reads and short pages, on the calling thread: a reader thread would cost more than the read. */
export function createReader(db: DatabaseSync): Reader {
  const prepare = createStatementCache(db);

  return {
    // Asynchronous, so that what goes wrong is a rejection as it is on PostgreSQL.
    async all<Row, Params extends readonly unknown[]>({ text }: Sql<Row, Params>, params: Params): Promise<Row[]> {
      const prepared = prepare(text);
      return rowsOf(prepared, params).map(prepared.makeRow) as Row[];
    },
    async get<Row, Params extends readonly unknown[]>({ text }: Sql<Row, Params>, params: Params) {
      const { statement, makeRow } = prepare(text);
      const row = statement.get(...toInputs(params)) as unknown as readonly SQLOutputValue[] | undefined;
      return row === undefined ? undefined : (makeRow(row) as Row);
    },
  };
}
