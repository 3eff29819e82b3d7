import { sql } from '../sql.ts';

export type PackRow = { readonly pack_id: number; readonly nodes: Uint8Array };

export const selectPacks = sql<PackRow, [packIds: string]>(
  'state-packs.get-many',
  `select pack_id, nodes from state_packs
   where pack_id in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

export const insertPack = sql<void, [packId: number, roomNid: number, nodes: Uint8Array]>(
  'state-packs.insert',
  'insert into state_packs (pack_id, room_nid, nodes) values ($1, $2, $3)',
);

export const selectRoomPackIds = sql<{ pack_id: number }, [roomNid: number, after: number, limit: number]>(
  'state-packs.ids-of-room',
  'select pack_id from state_packs where room_nid = $1 and pack_id > $2 order by pack_id limit $3',
);

export const updatePack = sql<void, [packId: number, nodes: Uint8Array]>(
  'state-packs.rewrite',
  'update state_packs set nodes = $2 where pack_id = $1',
);

export const deletePacks = sql<void, [packIds: string]>(
  'state-packs.delete-many',
  `delete from state_packs
   where pack_id in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

export const selectSecret = sql<{ value: string }>(
  'state-packs.secret',
  `select value from server_metadata where key = 'state_trie_secret'`,
);

export const insertSecret = sql<void, [value: string]>(
  'state-packs.set-secret',
  `insert into server_metadata (key, value) values ('state_trie_secret', $1) on conflict do nothing`,
);
