import type { Change, PositionParam, Write, WriteParam, WriteSet } from './database.ts';
import type { Sql } from './sql.ts';

/** An empty write set. It is used by one decision, committed once, and then dropped. */
export function createWriteSet(): WriteSet {
  const writes: Write[] = [];
  const changes: Change[] = [];
  let positions = 0;

  const push = (
    statement: Sql<unknown, never>,
    params: readonly unknown[],
    expect: number | undefined,
    guard: string | undefined,
    returning: boolean,
  ) => {
    writes.push({ statement, params: params as readonly WriteParam[], expect, guard, returning });
  };

  return {
    writes,
    changes,
    get positions() {
      return positions;
    },
    add<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params) {
      push(statement, params, undefined, undefined, false);
    },
    guard<Row, Params extends readonly unknown[]>(
      guard: string,
      rows: number,
      statement: Sql<Row, Params>,
      params: Params,
    ) {
      push(statement, params, rows, guard, false);
    },
    returning<Row, Params extends readonly unknown[]>(statement: Sql<Row, Params>, params: Params) {
      push(statement, params, undefined, undefined, true);
    },
    takePosition(): PositionParam {
      return { position: positions++ };
    },
    change(kind: string, key: string | number) {
      changes.push({ kind, key });
    },
  };
}
