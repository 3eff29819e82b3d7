import { sql } from '../sql.ts';

type Kind = {
  readonly table: string;
  /** The column that says which row it is. */
  readonly key: string;
  readonly name: string;
  /** How many rows there are at most. */
  readonly most: number;
  /** The column that says which is the oldest. */
  readonly age?: string;
  /** Of which rows alone all this is, as a condition. */
  readonly where?: string;
};

/**
 * Makes room for one more row of a table that anybody can fill: where it is full, the oldest row goes of the network that has the most,
 * and where several have as many, of the one that has the oldest. Whoever fills it pushes out their own.
 */
export function fairLimit({ table, key, name, most, age = 'expires_at', where = '1 = 1' }: Kind) {
  return sql<void>(
    name,
    `delete from ${table} where ${key} = (
       select ${key} from ${table} where ${where} and network = (
         case when (select count(*) from ${table} where ${where}) >= ${most} then (
           select network from ${table} where ${where} group by network
           order by count(*) desc, min(${age}), network limit 1
         ) end
       ) order by ${age}, ${key} limit 1
     )`,
  );
}
