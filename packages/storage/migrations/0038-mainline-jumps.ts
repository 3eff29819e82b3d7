import type { Migration } from './migration.ts';

/*
 * What an event jumps to follows from what its base jumps to and where that jumps in turn: `jumps` lists all of it on the way to
 * the start, each as depth (12 digits) and number (18).
 */
const entry = `substr(cast(1000000000000 + t.depth as text), 2) || substr(cast(1000000000000000000 + t.event_nid as text), 2)`;

/**
 * The power levels on which others are based can be found without a walk through all between. What was stored before its auth events
 * were is given its base, where it has got a place in the auth chains; without one it takes no part.
 */
export const mainlineJumps: Migration = {
  version: 38,
  name: 'mainline-jumps',
  statements: [
    `delete from power_levels_links where not exists (
       select 1 from events e where e.event_nid = power_levels_links.event_nid and e.chain_id is not null)`,
    `update power_levels_links set base_nid = (
       select e.power_levels_nid from events e where e.event_nid = power_levels_links.event_nid)`,
    `update power_levels_links set base_nid = null where base_nid is not null and not exists (
       select 1 from power_levels_links b where b.event_nid = power_levels_links.base_nid)`,
    'create index power_levels_links_by_base on power_levels_links (base_nid)',
    `create table new_power_levels_links (
      event_nid bigint primary key,
      base_nid bigint,
      depth bigint not null,
      jump_nid bigint,
      jump_depth bigint
    )`,
    // A join that read all links for each one of a chain would take hours.
    '/* postgres: set local enable_seqscan = off */',
    '/* postgres: set local enable_hashjoin = off */',
    '/* postgres: set local enable_mergejoin = off */',
    `insert into new_power_levels_links (event_nid, base_nid, depth, jump_nid, jump_depth)
     with recursive tree (event_nid, base_nid, depth, jumps) as (
       select event_nid, base_nid, cast(0 as bigint), cast('' as text) from power_levels_links where base_nid is null
       union all
       select l.event_nid, l.base_nid, t.depth + 1, case
         when length(t.jumps) < 60 then ${entry} || t.jumps
         when t.depth - cast(substr(t.jumps, 1, 12) as bigint)
           = cast(substr(t.jumps, 1, 12) as bigint) - cast(substr(t.jumps, 31, 12) as bigint) then substr(t.jumps, 31)
         else ${entry} || t.jumps end
       from tree t cross join power_levels_links l where l.base_nid = t.event_nid
     )
     select event_nid, base_nid, depth,
       case when jumps = '' then null else cast(substr(jumps, 13, 18) as bigint) end,
       case when jumps = '' then null else cast(substr(jumps, 1, 12) as bigint) end
     from tree`,
    '/* postgres: reset enable_seqscan */',
    '/* postgres: reset enable_hashjoin */',
    '/* postgres: reset enable_mergejoin */',
    'drop table power_levels_links',
    'alter table new_power_levels_links rename to power_levels_links',
  ],
};
