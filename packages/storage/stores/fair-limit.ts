import { sql } from '../sql.ts';

type Kind = {
  readonly table: string;
  /** The column that says which row it is. */
  readonly key: string;
  readonly name: string;
  /** How many rows there are at most. */
  readonly most: number;
};

/**
 * Makes room for one more row of a table that anybody can fill: where it is full, the oldest row goes of the network that has the most,
 * and where several have as many, of the one that has the oldest. Whoever fills it pushes out their own.
 */
export function fairLimit({ table, key, name, most }: Kind) {
  return sql<void>(
    name,
    `delete from ${table} where ${key} = (
       select ${key} from ${table} where network = (
         case when (select count(*) from ${table}) >= ${most} then (
           select network from ${table} group by network order by count(*) desc, min(expires_at), network limit 1
         ) end
       ) order by expires_at, ${key} limit 1
     )`,
  );
}
