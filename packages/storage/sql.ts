/** What both engines store and return: text, safe integers, 8-byte floats, bytes, null. Booleans are 0 and 1. */
export type SqlValue = string | number | Uint8Array | null;

/**
 * A statement in the SQL that both engines share, with `$1`-style placeholders.
 *
 * `position($n)` in the text stands for the stream position of the write set that the statement belongs to; its
 * parameter is made by `atPosition`.
 */
export type Sql<Row, Params extends readonly unknown[]> = {
  /** Unique and stable: the name of the prepared statement. */
  readonly name: string;
  readonly text: string;
  /** Carries the types; never read. */
  readonly types?: (params: Params) => Row;
};

/** Declares a statement; `name` must be its own. `Row` is what a row of its answer looks like, `Params` the values of `$1`, `$2`, … */
export function sql<Row, Params extends readonly unknown[] = []>(name: string, text: string): Sql<Row, Params> {
  const statement = { name, text };
  statements.set(name, statement);
  return statement;
}

/** Every statement of the program, by name: a test prepares them all on both engines. */
export const statements = new Map<string, Sql<unknown, never>>();
