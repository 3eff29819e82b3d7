import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** A step of a login in a browser, which is used once. */
export type LoginStepRow = {
  /** What is done next. */
  readonly step: string;
  /** Of what the browser has that began it. */
  readonly browser_hash: string;
  /** Whose account it is about, once that is known. */
  readonly user_id: string | null;
  /** JSON. */
  readonly details: string;
  readonly expires_at: number;
};

/** Steps of logins of one kind: rows, each called by the hash of what only the browser and the server know. */
export interface LoginSteps {
  find(reader: Reader, hash: string): Promise<LoginStepRow | undefined>;
  /** Also clears away what has expired, and the oldest where there are thousands: whoever is quick gets through. */
  add(set: WriteSet, hash: string, row: LoginStepRow, now: number): void;
  /** Uses a step up. Fails on the guard where that was done before, or it took too long. */
  use(set: WriteSet, hash: string, step: string, now: number): void;
  removeAllOf(set: WriteSet, userId: string): void;
}

type Kind = {
  readonly table: string;
  /** The column of the hash. */
  readonly key: string;
  /** What the names of the statements begin with. */
  readonly name: string;
  readonly guard: string;
};

const columns = 'step, browser_hash, user_id, details, expires_at';
const mostAtOnce = 5000;

export function loginSteps({ table, key, name, guard }: Kind): LoginSteps {
  const select = sql<LoginStepRow, [hash: string]>(`${name}.get`, `select ${columns} from ${table} where ${key} = $1`);
  const deleteExpired = sql<void, [now: number]>(
    `${name}.delete-expired`,
    `delete from ${table} where expires_at <= $1`,
  );
  const deleteOldest = sql<void>(
    `${name}.delete-oldest`,
    `delete from ${table} where expires_at <= (
       select expires_at from ${table} order by expires_at desc limit 1 offset ${mostAtOnce - 1}
     )`,
  );
  const insert = sql<
    void,
    [hash: string, step: string, browserHash: string, userId: string | null, details: string, expiresAt: number]
  >(`${name}.insert`, `insert into ${table} (${key}, ${columns}) values ($1, $2, $3, $4, $5, $6)`);
  const deleteUsed = sql<void, [hash: string, step: string, now: number]>(
    `${name}.use`,
    `delete from ${table} where ${key} = $1 and step = $2 and expires_at > $3`,
  );
  const deleteOfUser = sql<void, [userId: string]>(`${name}.delete-all`, `delete from ${table} where user_id = $1`);

  return {
    find: (reader, hash) => reader.get(select, [hash]),
    add(set, hash, row, now) {
      set.add(deleteExpired, [now]);
      set.add(deleteOldest, []);
      set.add(insert, [hash, row.step, row.browser_hash, row.user_id, row.details, row.expires_at]);
    },
    use: (set, hash, step, now) => set.guard(guard, 1, deleteUsed, [hash, step, now]),
    removeAllOf: (set, userId) => set.add(deleteOfUser, [userId]),
  };
}
