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
  ],
};
