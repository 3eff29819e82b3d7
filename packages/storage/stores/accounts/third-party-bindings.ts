import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** An identifier that an identity server tells others who it belongs to. */
export type BindingRow = { readonly medium: string; readonly address: string; readonly id_server: string };

const selectBindings = sql<BindingRow, [userId: string]>(
  'third-party-bindings.of-user',
  `select medium, address, id_server from third_party_bindings where user_id = $1
   order by medium, address, id_server limit 100`,
);

/** At most a hundred. */
export function listBindings(reader: Reader, userId: string): Promise<BindingRow[]> {
  return reader.all(selectBindings, [userId]);
}

const insertBinding = sql<void, [userId: string, medium: string, address: string, idServer: string]>(
  'third-party-bindings.insert',
  `insert into third_party_bindings (user_id, medium, address, id_server) values ($1, $2, $3, $4)
   on conflict do nothing`,
);

export function addBinding(set: WriteSet, userId: string, binding: BindingRow): void {
  set.add(insertBinding, [userId, binding.medium, binding.address, binding.id_server]);
}

const deleteBinding = sql<void, [userId: string, medium: string, address: string, idServer: string]>(
  'third-party-bindings.delete',
  'delete from third_party_bindings where user_id = $1 and medium = $2 and address = $3 and id_server = $4',
);

export function removeBinding(set: WriteSet, userId: string, binding: BindingRow): void {
  set.add(deleteBinding, [userId, binding.medium, binding.address, binding.id_server]);
}
