import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** `kind`: `device` (`id` is the device), `master`, `self_signing` or `user_signing` (`id` is empty). */
export type PublicKeyRow = {
  readonly kind: string;
  readonly user_id: string;
  readonly id: string;
  readonly keys: string;
  readonly display_name: string | null;
};

/** A signature that was added later; `target` is a device or a public key. */
export type SignatureRow = {
  readonly user_id: string;
  readonly target: string;
  readonly signer: string;
  readonly signer_key: string;
  readonly signature: string;
};

type QueryRow = PublicKeyRow & { readonly signer: string | null; readonly signer_key: string | null };

// One question for everything that a request for keys wants.
const selectKeys = sql<QueryRow, readonly [named: string, users: string, viewer: string, whole: string]>(
  'keys.query',
  `select 'device' as kind, k.user_id, k.device_id as id, k.keys, coalesce(d.display_name, k.display_name) as display_name,
     cast(null as text) as signer, cast(null as text) as signer_key
   from json_each(cast($4 as text)) r
   cross join device_keys k
   left join devices d on d.user_id = k.user_id and d.device_id = k.device_id
   where k.user_id = r.value
   union all
   select 'device', k.user_id, k.device_id, k.keys, coalesce(d.display_name, k.display_name), null, null
   from json_each(cast($1 as text)) r
   cross join device_keys k
   left join devices d on d.user_id = k.user_id and d.device_id = k.device_id
   where k.user_id = r.value ->> 0 and k.device_id = r.value ->> 1
   union all
   select x.usage, x.user_id, '', x.key, null, null, null
   from json_each(cast($2 as text)) r
   cross join cross_signing_keys x
   where x.user_id = r.value and (x.usage <> 'user_signing' or x.user_id = $3)
   union all
   select 'signature', s.user_id, s.target, s.signature, null, s.signer, s.signer_key
   from json_each(cast($2 as text)) r
   cross join key_signatures s
   where s.user_id = r.value and (s.signer = s.user_id or s.signer = $3)`,
);

export type KnownKeys = { readonly keys: readonly PublicKeyRow[]; readonly signatures: readonly SignatureRow[] };

/**
 * Keys of devices and cross-signing keys, a `*` standing for all devices of somebody, with the signatures that `viewer` may
 * see: their own, and those that people made of their own keys.
 */
export async function queryKeys(
  reader: Reader,
  wanted: readonly (readonly [userId: string, deviceId: string])[],
  viewer: string,
): Promise<KnownKeys> {
  const users = [...new Set(wanted.map(([userId]) => userId))];
  const named = wanted.filter(([, deviceId]) => deviceId !== '*');
  const whole = wanted.filter(([, deviceId]) => deviceId === '*').map(([userId]) => userId);
  const lists = [JSON.stringify(named), JSON.stringify(users), viewer, JSON.stringify(whole)] as const;
  const rows = await reader.all(selectKeys, lists);
  const keys: PublicKeyRow[] = [];
  const signatures: SignatureRow[] = [];
  for (const row of rows) {
    const { signer, signer_key: signerKey } = row;
    if (signer === null || signerKey === null) keys.push(row);
    else {
      signatures.push({ user_id: row.user_id, target: row.id, signer, signer_key: signerKey, signature: row.keys });
    }
  }
  return { keys, signatures };
}

/** The keys of some of somebody's devices, with what the person has signed of them. */
export async function readDeviceKeysOf(
  reader: Reader,
  userId: string,
  deviceIds: readonly string[],
): Promise<KnownKeys> {
  const wanted = deviceIds.map((deviceId) => [userId, deviceId] as const);
  const { keys, signatures } = await queryKeys(reader, wanted, userId);
  return { keys: keys.filter(({ kind }) => kind === 'device'), signatures };
}

const upsertDeviceKeys = sql<void, [userId: string, deviceId: string, keys: string]>(
  'device-keys.set',
  `insert into device_keys (user_id, device_id, keys)
   select d.user_id, d.device_id, cast($3 as text) from devices d where d.user_id = $1 and d.device_id = $2
   on conflict (user_id, device_id) do update set keys = excluded.keys`,
);

/** Fails on the guard `device.not-found` if the device was deleted in the meantime. */
export function setDeviceKeys(set: WriteSet, userId: string, deviceId: string, keys: string): void {
  set.guard('device.not-found', 1, upsertDeviceKeys, [userId, deviceId, keys]);
}

const upsertList = sql<void, [userId: string, position: PositionParam]>(
  'device-lists.set',
  `insert into device_lists (user_id, position) values ($1, position($2))
   on conflict (user_id) do update set position = excluded.position`,
);

/** Tells everybody in `roomNids`, and the person, that what is seen of the person's keys has changed. */
export function markDeviceList(
  set: WriteSet,
  userId: string,
  roomNids: readonly number[],
  position: PositionParam,
): void {
  set.add(upsertList, [userId, position]);
  set.change('own_device_list', userId);
  for (const nid of roomNids) set.change('device_lists', nid);
}

const selectPlace = sql<{ position: number }, [userId: string]>(
  'device-lists.place',
  'select position from device_lists where user_id = $1',
);

/** When what is seen of somebody's keys changed last. */
export async function readListPlace(reader: Reader, userId: string): Promise<number> {
  return (await reader.get(selectPlace, [userId]))?.position ?? 0;
}

const touchMoved = sql<void, [userId: string, place: number]>(
  'device-lists.touch-moved',
  'update device_lists set position = position where user_id = $1 and position <> $2',
);

/** Fails on the guard `device-list.changed` if somebody's keys have changed since {@link readListPlace}. */
export function requireListPlace(set: WriteSet, userId: string, place: number): void {
  set.guard('device-list.changed', 0, touchMoved, [userId, place]);
}

const selectJoined = sql<{ room_nid: number }, [userId: string]>(
  'memberships.joined-rooms',
  `select room_nid from memberships where user_id = $1 and membership = 'join'`,
);

export async function readJoinedRoomsOf(reader: Reader, userId: string): Promise<number[]> {
  return (await reader.all(selectJoined, [userId])).map((row) => row.room_nid);
}

const deleteDeviceKeys = sql<void, [userId: string, deviceIds: string]>(
  'device-keys.delete',
  `delete from device_keys where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))`,
);
const deleteOneTimeKeys = sql<void, [userId: string, deviceIds: string]>(
  'one-time-keys.delete-of-devices',
  `delete from one_time_keys where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))`,
);
const deleteLastClaimed = sql<void, [userId: string, deviceIds: string]>(
  'last-claimed-keys.delete-of-devices',
  `delete from last_claimed_keys where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))`,
);
const deleteFallbackKeys = sql<void, [userId: string, deviceIds: string]>(
  'fallback-keys.delete-of-devices',
  `delete from fallback_keys where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))`,
);
const deleteSignatures = sql<void, [userId: string, deviceIds: string]>(
  'key-signatures.delete-of-devices',
  `delete from key_signatures where user_id = $1 and target in (select value from json_each(cast($2 as text)))`,
);

/** Drops all keys of devices: a later device of the same name must not be taken for them. */
export function dropKeysOf(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  const ids = JSON.stringify(deviceIds);
  set.add(deleteDeviceKeys, [userId, ids]);
  set.add(deleteOneTimeKeys, [userId, ids]);
  set.add(deleteLastClaimed, [userId, ids]);
  set.add(deleteFallbackKeys, [userId, ids]);
  set.add(deleteSignatures, [userId, ids]);
  set.change('one_time_keys', userId);
}
