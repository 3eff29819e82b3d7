import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

const selectPosition = sql<{ position: number }, [name: string]>(
  'consumers.position',
  'select position from consumers where name = $1',
);

const moveConsumer = sql<void, [name: string, from: number, to: number]>(
  'consumers.move',
  'update consumers set position = $3 where name = $1 and position = $2',
);

/** Up to which position a consumer has worked through what was committed. */
export async function readConsumerPosition(reader: Reader, name: string): Promise<number> {
  const row = await reader.get(selectPosition, [name]);
  if (row === undefined) throw new Error(`there is no consumer ${name}`);
  return row.position;
}

/** Fails on the guard `consumer.moved` if another process has done this part already. */
export function moveConsumerOn(set: WriteSet, name: string, from: number, to: number): void {
  set.guard('consumer.moved', 1, moveConsumer, [name, from, to]);
}
