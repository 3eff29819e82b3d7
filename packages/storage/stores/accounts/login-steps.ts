import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { fairLimit } from '../fair-limit.ts';

/** A step of a login in a browser, which is used once. */
export type LoginStepRow = {
  /** What is done next. */
  readonly step: string;
  /** Of what the browser has that began it. */
  readonly browser_hash: string;
  /** Where that is. */
  readonly network: string;
  /** Whose account it is about, once that is known. */
  readonly user_id: string | null;
  /** JSON. */
  readonly details: string;
  readonly expires_at: number;
};

/** Steps of logins of one kind: rows, each called by the hash of what only the browser and the server know. */
export interface LoginSteps {
  find(reader: Reader, hash: string): Promise<LoginStepRow | undefined>;
  /** Also clears away what has expired, and where there are thousands the oldest of who has begun the most. */
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

const columns = 'step, browser_hash, network, user_id, details, expires_at';
const mostAtOnce = 5000;

export function loginSteps({ table, key, name, guard }: Kind): LoginSteps {
  const select = sql<LoginStepRow, [hash: string]>(`${name}.get`, `select ${columns} from ${table} where ${key} = $1`);
  const deleteExpired = sql<void, [now: number]>(
    `${name}.delete-expired`,
    `delete from ${table} where expires_at <= $1`,
  );
  const makeRoom = fairLimit({ table, key, name: `${name}.make-room`, most: mostAtOnce });
  const insert = sql<
    void,
    [
      hash: string,
      step: string,
      browserHash: string,
      network: string,
      userId: string | null,
      details: string,
      expiresAt: number,
    ]
  >(`${name}.insert`, `insert into ${table} (${key}, ${columns}) values ($1, $2, $3, $4, $5, $6, $7)`);
  const deleteUsed = sql<void, [hash: string, step: string, now: number]>(
    `${name}.use`,
    `delete from ${table} where ${key} = $1 and step = $2 and expires_at > $3`,
  );
  const deleteOfUser = sql<void, [userId: string]>(`${name}.delete-all`, `delete from ${table} where user_id = $1`);

  return {
    find: (reader, hash) => reader.get(select, [hash]),
    add(set, hash, row, now) {
      set.add(deleteExpired, [now]);
      set.add(makeRoom, []);
      const { step, browser_hash: browserHash, network, user_id: userId, details, expires_at: expiresAt } = row;
      set.add(insert, [hash, step, browserHash, network, userId, details, expiresAt]);
    },
    use: (set, hash, step, now) => set.guard(guard, 1, deleteUsed, [hash, step, now]),
    removeAllOf: (set, userId) => set.add(deleteOfUser, [userId]),
  };
}
