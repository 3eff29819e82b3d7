import { sql } from '../sql.ts';

export type PositionRow = { readonly event_nid: number; readonly chain_id: number; readonly chain_seq: number };

export const selectPositions = sql<PositionRow, [eventNids: string]>(
  'auth-chains.positions',
  `select event_nid, chain_id, chain_seq from events
   where event_nid in (select cast(value as bigint) from json_each(cast($1 as text))) and chain_id is not null`,
);

export type LinkRow = {
  readonly origin_chain: number;
  readonly origin_seq: number;
  readonly target_chain: number;
  readonly target_seq: number;
};

export const selectLinks = sql<LinkRow, [roomNid: number, chains: string]>(
  'auth-chains.links',
  `select origin_chain, origin_seq, target_chain, target_seq from auth_chain_links
   where room_nid = $1 and origin_chain in (select cast(value as bigint) from json_each(cast($2 as text)))
   order by origin_chain, origin_seq, target_chain`,
);

export const selectRoomLinks = sql<
  LinkRow,
  [roomNid: number, originChain: number, originSeq: number, targetChain: number, limit: number]
>(
  'auth-chains.links-of-room',
  `select origin_chain, origin_seq, target_chain, target_seq from auth_chain_links
   where room_nid = $1 and (origin_chain, origin_seq, target_chain) > ($2, $3, $4)
   order by origin_chain, origin_seq, target_chain
   limit $5`,
);

/** Backwards: from the last event of a chain down to `lowest`, after the place where the page before ended. */
export const selectLinksInto = sql<
  LinkRow,
  [
    roomNid: number,
    targetChain: number,
    lowest: number,
    beforeTargetSeq: number,
    beforeOriginChain: number,
    beforeOriginSeq: number,
    limit: number,
  ]
>(
  'auth-chains.links-into',
  `select origin_chain, origin_seq, target_chain, target_seq from auth_chain_links
   where room_nid = $1 and target_chain = $2 and target_seq >= $3 and (target_seq, origin_chain, origin_seq) < ($4, $5, $6)
   order by target_seq desc, origin_chain desc, origin_seq desc
   limit $7`,
);

export const insertLink = sql<
  void,
  [roomNid: number, originChain: number, originSeq: number, targetChain: number, targetSeq: number]
>(
  'auth-chains.insert-link',
  `insert into auth_chain_links (room_nid, origin_chain, origin_seq, target_chain, target_seq)
   values ($1, $2, $3, $4, $5)`,
);

export const insertEdges = sql<void, [eventNid: number, authEventNids: string]>(
  'auth-chains.insert-edges',
  `insert into event_auth_edges (event_nid, auth_event_nid)
   select cast($1 as bigint), cast(value as bigint) from json_each(cast($2 as text))`,
);

/** Parameters of `selectRanges`: so many times chain, exclusive lower and inclusive upper end; then the most rows wanted. */
export const rangesPerQuery = 32;

const ranges = Array.from(
  { length: rangesPerQuery },
  (_, i) => `(cast($${3 * i + 1} as bigint), cast($${3 * i + 2} as bigint), cast($${3 * i + 3} as bigint))`,
);

export const selectRanges = sql<PositionRow, number[]>(
  'auth-chains.ranges',
  `with ranges (chain_id, low, high) as (values ${ranges.join(', ')})
   select events.event_nid, events.chain_id, events.chain_seq from ranges
   join events on events.chain_id = ranges.chain_id
     and events.chain_seq > ranges.low and events.chain_seq <= ranges.high
   limit cast($${3 * rangesPerQuery + 1} as bigint)`,
);

const leads = Array.from(
  { length: rangesPerQuery },
  (_, i) => `(cast($${2 * i + 2} as bigint), cast($${2 * i + 3} as bigint))`,
);

/** To which of several chains links lead, from an event on: the room, and so many times chain and lowest sequence number. */
export const selectLinked = sql<{ readonly chain_id: number }, number[]>(
  'auth-chains.linked',
  `with leads (chain_id, lowest) as (values ${leads.join(', ')})
   select chain_id from leads where exists (
     select 1 from auth_chain_links where room_nid = $1 and target_chain = leads.chain_id and target_seq >= leads.lowest)`,
);
