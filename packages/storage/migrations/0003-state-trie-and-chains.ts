import type { Migration } from './migration.ts';

export const stateTrieAndChains: Migration = {
  version: 3,
  name: 'state-trie-and-chains',
  statements: [
    /* Up to 16 nodes of the state trie: node n is the (n mod 16)th of pack n / 16. Never updated but by a sweep. */
    `create table state_packs (
      pack_id bigint primary key,
      room_nid bigint not null,
      nodes bytea not null
    )`,
    'create index state_packs_by_room on state_packs (room_nid, pack_id)',

    /* The chain cover of the auth chains: state events have a place in a chain, and chains are tied by these links. */
    'create unique index events_by_chain on events (chain_id, chain_seq) where chain_id is not null',
    `create table auth_chain_links (
      room_nid bigint not null,
      origin_chain bigint not null,
      origin_seq bigint not null,
      target_chain bigint not null,
      target_seq bigint not null,
      primary key (room_nid, origin_chain, origin_seq, target_chain)
    ) /* sqlite: without rowid */`,
    `create index auth_chain_links_by_target
      on auth_chain_links (room_nid, target_chain, target_seq, origin_chain, origin_seq)`,
    `create table event_auth_edges (
      event_nid bigint not null,
      auth_event_nid bigint not null,
      primary key (event_nid, auth_event_nid)
    ) /* sqlite: without rowid */`,
  ],
};
