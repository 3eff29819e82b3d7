import type { PositionParam, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import type { SignatureRow } from './device-keys.ts';

const upsertKeys = sql<void, [userId: string, keys: string, position: PositionParam]>(
  'cross-signing.set',
  `insert into cross_signing_keys (user_id, usage, key, position)
   select cast($1 as text), k.value ->> 0, k.value ->> 1, position($3) from json_each(cast($2 as text)) k where true
   on conflict (user_id, usage) do update set key = excluded.key, position = excluded.position`,
);

// None may have come since they were looked for: without a password, a first key is never written over another one.
const touchKeys = sql<void, [userId: string]>(
  'cross-signing.touch',
  'update cross_signing_keys set key = key where user_id = $1',
);

const insertSignatures = sql<void, [signatures: string, position: PositionParam]>(
  'key-signatures.add',
  `insert into key_signatures (user_id, target, signer, signer_key, signature, position)
   select s.value ->> 0, s.value ->> 1, s.value ->> 2, s.value ->> 3, s.value ->> 4, position($2)
   from json_each(cast($1 as text)) s where true
   on conflict (user_id, target, signer, signer_key) do update
     set signature = excluded.signature, position = excluded.position`,
);

/** Fails on the guard `cross-signing.changed` if somebody has such keys. */
export function requireNoCrossSigningKeys(set: WriteSet, userId: string): void {
  set.guard('cross-signing.changed', 0, touchKeys, [userId]);
}

/** Replaces keys by their usage, and tells the person's own devices. */
export function setCrossSigningKeys(
  set: WriteSet,
  userId: string,
  keys: readonly (readonly [usage: string, key: string])[],
): void {
  set.add(upsertKeys, [userId, JSON.stringify(keys), set.takePosition()]);
  set.change('own_device_list', userId);
}

export function addSignatures(set: WriteSet, signatures: readonly SignatureRow[], position: PositionParam): void {
  const packed = signatures.map((row) => [row.user_id, row.target, row.signer, row.signer_key, row.signature]);
  set.add(insertSignatures, [JSON.stringify(packed), position]);
  for (const signer of new Set(signatures.map((row) => row.signer))) set.change('own_device_list', signer);
}
