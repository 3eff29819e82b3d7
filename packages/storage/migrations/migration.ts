/**
 * One step of the schema, in the DDL text that both engines share: types `bigint`, `text`, `bytea` and
 * `double precision`; text compares bytewise on both. A comment such as `/* sqlite: without rowid *\/` or
 * `/* postgres: with (fillfactor = 50) *\/` holds what only that engine shall read. A number that identifies a row is
 * `bigint primary key` in the column's own line (the row ID on SQLite). A migration never changes once it is released.
 */
export type Migration = {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
};
