import type { Committed, WriteSet } from '../database.ts';
import { sql } from '../sql.ts';
import { createWriteSet } from '../write-set.ts';

export const reserveBlock = sql<{ first_id: number }, [sequence: string, count: number]>(
  'ids.reserve',
  `insert into id_sequences (name, next_id) values ($1, 1 + cast($2 as bigint))
   on conflict (name) do update set next_id = id_sequences.next_id + cast($2 as bigint)
   returning next_id - cast($2 as bigint) as first_id`,
);

type Block = { next: number; end: number; refill: Promise<void> | undefined };

/** Takes `count` numbers for good and answers the first. */
export type Reserve = (sequence: string, count: number) => Promise<number>;

export function reserveBy(commit: (set: WriteSet) => Promise<Committed>): Reserve {
  return async (sequence, count) => {
    const set = createWriteSet();
    set.returning(reserveBlock, [sequence, count]);
    const { returned } = await commit(set);
    const [row] = returned[0] as readonly [{ first_id: number }];
    return row.first_id;
  };
}

/** Hands out numbers from blocks in memory. What is left of a block at the end of the process is never used. */
export function createIdBlocks(
  reserve: Reserve,
  blockSize: number,
): (sequence: string, count: number) => Promise<number> {
  const blocks = new Map<string, Block>();

  const fill = async (sequence: string, block: Block): Promise<void> => {
    try {
      block.next = await reserve(sequence, blockSize);
      block.end = block.next + blockSize;
    } finally {
      block.refill = undefined;
    }
  };

  return async (sequence, count) => {
    if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`Cannot reserve ${count} numbers`);
    if (count > blockSize / 4) return reserve(sequence, count);
    let block = blocks.get(sequence);
    if (block === undefined) blocks.set(sequence, (block = { next: 0, end: 0, refill: undefined }));
    while (block.end - block.next < count) await (block.refill ??= fill(sequence, block));
    const first = block.next;
    block.next += count;
    return first;
  };
}
