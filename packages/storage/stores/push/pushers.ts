import type { PositionParam, Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

/** Names one of somebody's pushers. */
export type PusherKey = { readonly userId: string; readonly appId: string; readonly pushkey: string };

export type PusherRow = {
  readonly app_id: string;
  readonly pushkey: string;
  readonly kind: string;
  readonly device_id: string;
  readonly app_display_name: string;
  readonly device_display_name: string;
  readonly profile_tag: string | null;
  readonly lang: string;
  /** As JSON text. */
  readonly data: string;
  readonly enabled: number;
};

export type NewPusher = PusherRow & { readonly user_id: string; readonly set_at: number };

/** More than all the devices that a person has lost and forgotten. */
export const mostPushers = 100;

const selectOfUser = sql<PusherRow, [userId: string]>(
  'pushers.of-user',
  `select app_id, pushkey, kind, device_id, app_display_name, device_display_name, profile_tag, lang, data, enabled
   from pushers where user_id = $1 order by set_at, app_id, pushkey`,
);

export function listPushers(reader: Reader, userId: string): Promise<PusherRow[]> {
  return reader.all(selectOfUser, [userId]);
}

const selectOthers = sql<{ user_id: string }, [appId: string, pushkey: string, userId: string]>(
  'pushers.of-others',
  'select user_id from pushers where app_id = $1 and pushkey = $2 and user_id <> $3',
);

/** Who else has a pusher of this app and key: who used the device before. */
export async function readOthersWithPusher(reader: Reader, { userId, appId, pushkey }: PusherKey): Promise<string[]> {
  return (await reader.all(selectOthers, [appId, pushkey, userId])).map((row) => row.user_id);
}

/* One that was off begins with what happens from now on. What failed is tried again: the client knows better by now. */
const upsertOne = sql<
  void,
  [
    userId: string,
    appId: string,
    pushkey: string,
    kind: string,
    deviceId: string,
    appDisplayName: string,
    deviceDisplayName: string,
    profileTag: string | null,
    lang: string,
    data: string,
    enabled: number,
    setAt: number,
    position: PositionParam,
    most: number,
  ]
>(
  'pushers.set',
  `insert into pushers (user_id, app_id, pushkey, kind, device_id, app_display_name, device_display_name, profile_tag, lang,
     data, enabled, set_at, position, badge, failures, failing_since, retry_at, process, lease_until)
   select cast($1 as text), cast($2 as text), cast($3 as text), cast($4 as text), cast($5 as text), cast($6 as text),
     cast($7 as text), cast($8 as text), cast($9 as text), cast($10 as text), cast($11 as bigint), cast($12 as bigint),
     position($13), -1, 0, 0, 0, '', 0
   where (select count(*) from pushers p where p.user_id = $1 and not (p.app_id = $2 and p.pushkey = $3)) < $14
   on conflict (user_id, app_id, pushkey) do update set kind = excluded.kind, device_id = excluded.device_id,
     app_display_name = excluded.app_display_name, device_display_name = excluded.device_display_name,
     profile_tag = excluded.profile_tag, lang = excluded.lang, data = excluded.data, enabled = excluded.enabled,
     set_at = excluded.set_at, failures = 0, failing_since = 0, retry_at = 0,
     position = case when pushers.enabled = 1 then pushers.position else excluded.position end`,
);

/** Fails on the guard `pusher.too-many`. */
export function setPusher(set: WriteSet, row: NewPusher): void {
  set.guard('pusher.too-many', 1, upsertOne, [
    row.user_id,
    row.app_id,
    row.pushkey,
    row.kind,
    row.device_id,
    row.app_display_name,
    row.device_display_name,
    row.profile_tag,
    row.lang,
    row.data,
    row.enabled,
    row.set_at,
    set.takePosition(),
    mostPushers,
  ]);
  set.change('pushers', row.user_id);
}

const deleteOne = sql<void, [userId: string, appId: string, pushkey: string]>(
  'pushers.delete',
  'delete from pushers where user_id = $1 and app_id = $2 and pushkey = $3',
);
const deleteOfDevices = sql<void, [userId: string, deviceIds: string]>(
  'pushers.delete-of-devices',
  'delete from pushers where user_id = $1 and device_id in (select value from json_each(cast($2 as text)))',
);
const deleteAll = sql<void, [userId: string]>('pushers.delete-all', 'delete from pushers where user_id = $1');
const deleteQueue = sql<void, [userId: string]>(
  'push-queue.delete-without-pushers',
  'delete from push_queue where user_id = $1 and not exists (select 1 from pushers p where p.user_id = $1)',
);

function removed(set: WriteSet, userId: string): void {
  set.add(deleteQueue, [userId]);
  set.change('pushers', userId);
}

export function removePusher(set: WriteSet, { userId, appId, pushkey }: PusherKey): void {
  set.add(deleteOne, [userId, appId, pushkey]);
  removed(set, userId);
}

export function removePushersOfDevices(set: WriteSet, userId: string, deviceIds: readonly string[]): void {
  set.add(deleteOfDevices, [userId, JSON.stringify(deviceIds)]);
  removed(set, userId);
}

export function removePushersOf(set: WriteSet, userId: string): void {
  set.add(deleteAll, [userId]);
  removed(set, userId);
}
