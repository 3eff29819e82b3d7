import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/*
 * The `m.room.power_levels` events of all rooms, each with the one among its auth events, its base, and with a jump to one further
 * back: to where its base's jump jumps if the two ways there are equally long, and to its base otherwise. Events of one depth then
 * jump equally far, and any earlier one is reached in a number of steps that follows the logarithm of the way (E. W. Myers, "An
 * applicative random-access stack", 1983).
 */

/** An event with its place in the auth chains, where its base has one: no link is written before its base's. */
export type PowerLevelsLink = {
  readonly eventNid: number;
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly powerLevelsNid: number | undefined;
};

const insertLink = sql<void, [eventNid: number, baseNid: number | null]>(
  'power-levels-links.insert',
  `insert into power_levels_links (event_nid, base_nid, depth, jump_nid, jump_depth)
   select e.event_nid, b.event_nid, coalesce(b.depth + 1, 0),
     case when b.depth - b.jump_depth = b.jump_depth - j.jump_depth then j.jump_nid else b.event_nid end,
     case when b.depth - b.jump_depth = b.jump_depth - j.jump_depth then j.jump_depth else b.depth end
   from (select cast($1 as bigint) as event_nid) e
   left join power_levels_links b on b.event_nid = $2
   left join power_levels_links j on j.event_nid = b.jump_nid
   where true
   on conflict do nothing`,
);

export type MainlineRow = {
  readonly base_nid: number;
  /** Null if it has nothing in common with the mainline. */
  readonly position: number | null;
};

/*
 * Two ways go back until they meet: the deeper one alone, or both, as far as they can without going past where they do. The limit,
 * which takes nothing away, tells PostgreSQL that few links are looked up: it would read all of them else.
 */
const selectPositions = sql<MainlineRow, [powerLevelsNid: number, baseNids: string, bases: number]>(
  'power-levels-links.mainline-positions',
  `with recursive ways (
     start_nid, p_nid, p_base, p_depth, p_jump, p_jump_depth, e_nid, e_base, e_depth, e_jump, e_jump_depth
   ) as (
     select e.event_nid, p.event_nid, p.base_nid, p.depth, p.jump_nid, p.jump_depth,
       e.event_nid, e.base_nid, e.depth, e.jump_nid, e.jump_depth
     from (select cast(value as bigint) as nid from json_each(cast($2 as text)) limit $3) s
     join power_levels_links e on e.event_nid = s.nid
     join power_levels_links p on p.event_nid = $1
     union all
     select w.start_nid, p.event_nid, p.base_nid, p.depth, p.jump_nid, p.jump_depth,
       e.event_nid, e.base_nid, e.depth, e.jump_nid, e.jump_depth
     from ways w
     join power_levels_links p on p.event_nid = case
       when w.p_depth < w.e_depth then w.p_nid
       when w.p_depth > w.e_depth and w.p_jump_depth >= w.e_depth then w.p_jump
       when w.p_depth = w.e_depth and w.p_jump_depth = w.e_jump_depth and w.p_jump <> w.e_jump then w.p_jump
       else w.p_base end
     join power_levels_links e on e.event_nid = case
       when w.e_depth < w.p_depth then w.e_nid
       when w.e_depth > w.p_depth and w.e_jump_depth >= w.p_depth then w.e_jump
       when w.p_depth = w.e_depth and w.p_jump_depth = w.e_jump_depth and w.p_jump <> w.e_jump then w.e_jump
       else w.e_base end
     where w.p_nid <> w.e_nid
   )
   select start_nid as base_nid, max(p_depth) - max(case when p_nid = e_nid then p_depth end) as position
   from ways group by start_nid`,
);

const selectStored = sql<{ event_nid: number }, [nids: string]>(
  'power-levels-links.stored',
  `select event_nid from power_levels_links
   where event_nid in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

/** Adds the link of an event that is given its place in the auth chains, if it is one of power levels. */
export function addPowerLevelsLink(set: WriteSet, { eventNid, type, stateKey, powerLevelsNid }: PowerLevelsLink): void {
  if (type === 'm.room.power_levels' && stateKey === '') set.add(insertLink, [eventNid, powerLevelsNid ?? null]);
}

/** Where power levels stand in the mainline of others. Nothing of those that are not stored. */
export function mainlinePositions(
  reader: Reader,
  powerLevelsNid: number,
  baseNids: readonly number[],
): Promise<MainlineRow[]> {
  return reader.all(selectPositions, [powerLevelsNid, JSON.stringify(baseNids), baseNids.length]);
}

/** Those of some events of power levels that are stored. */
export async function storedPowerLevels(reader: Reader, nids: readonly number[]): Promise<ReadonlySet<number>> {
  return new Set((await reader.all(selectStored, [JSON.stringify(nids)])).map((row) => row.event_nid));
}
