import type { Reader } from '../../database.ts';
import { type Sql, sql } from '../../sql.ts';
import { isWaiting } from '../devices/one-time-keys.ts';

export type ExportRow = Readonly<Record<string, string | number | null>>;

/** A part of what is kept of a person, as a file of the export. */
export type ExportSection = {
  readonly name: string;
  readonly statement: Sql<ExportRow, [userId: string, limit: number, offset: number]>;
  /** Columns that hold JSON texts. */
  readonly json: readonly string[];
  /** So many rows take up little enough memory, however large they are. */
  readonly rowsAtOnce: number;
};

type Query = {
  readonly columns: string;
  readonly from: string;
  /** `user_id = $1` if left out. */
  readonly where?: string;
  readonly order: string;
  readonly json?: readonly string[];
  readonly rowsAtOnce?: number;
};

function section(
  name: string,
  { columns, from, where = 'user_id = $1', order, json = [], rowsAtOnce = 500 }: Query,
): ExportSection {
  const text = `select ${columns} from ${from} where ${where} order by ${order} limit $2 offset $3`;
  return { name, statement: sql(`export.${name}`, text), json, rowsAtOnce };
}

/** Everything that the person did not say in rooms and that is no secret of the server's: no password, no tokens. */
export const exportSections: readonly ExportSection[] = [
  section('account', {
    columns: 'user_id, user_type, is_admin, created_at, deactivated_at',
    from: 'accounts',
    order: 'user_id',
  }),
  section('profile', { columns: 'name, value', from: 'profile_fields', order: 'name', json: ['value'] }),
  section('third-party-ids', {
    columns: 'medium, address, validated_at, added_at',
    from: 'third_party_ids',
    order: 'added_at, medium, address',
  }),
  section('external-ids', {
    columns: 'provider, subject, linked_at',
    from: 'external_ids',
    order: 'linked_at, provider, subject',
  }),
  section('third-party-bindings', {
    columns: 'medium, address, id_server',
    from: 'third_party_bindings',
    order: 'medium, address, id_server',
  }),
  section('devices', {
    columns: 'device_id, display_name, created_at, last_seen_at, last_seen_ip',
    from: 'devices',
    order: 'device_id',
  }),
  section('oauth-sessions', {
    columns: 's.device_id, s.client_id, c.metadata as client, s.scope, s.created_at',
    from: 'oauth_sessions s left join oauth_clients c on c.client_id = s.client_id',
    where: 's.user_id = $1',
    order: 's.device_id',
    json: ['client'],
  }),
  section('provider-sessions', {
    columns: 'device_id, provider, subject, begun_at',
    from: 'provider_sessions',
    order: 'device_id',
  }),
  section('account-data', {
    columns: `room_id, type, content`,
    from: 'account_data',
    order: 'room_id, type',
    json: ['content'],
    rowsAtOnce: 8,
  }),
  section('pushers', {
    columns: `app_id, pushkey, kind, device_id, app_display_name, device_display_name, profile_tag, lang, data, enabled,
      set_at`,
    from: 'pushers',
    order: 'app_id, pushkey',
    json: ['data'],
  }),
  section('filters', {
    columns: 'filter_id, definition',
    from: 'filters',
    order: 'filter_id',
    json: ['definition'],
    rowsAtOnce: 100,
  }),
  section('rooms', {
    columns: 'r.room_id, r.room_version, m.membership, e.event_id, e.sender, e.origin_server_ts, m.forgotten',
    from: 'memberships m join rooms r on r.room_nid = m.room_nid join events e on e.event_nid = m.event_nid',
    where: 'm.user_id = $1',
    order: 'm.position, m.room_nid',
  }),
  section('membership-changes', {
    columns: 'r.room_id, e.event_id, c.previous, c.membership, e.sender, e.origin_server_ts',
    from: `membership_changes c join rooms r on r.room_nid = c.room_nid join events e on e.event_nid = c.event_nid`,
    where: 'c.user_id = $1',
    order: 'c.position',
  }),
  section('room-aliases', {
    columns: 'a.alias, r.room_id',
    from: 'room_aliases a join rooms r on r.room_nid = a.room_nid',
    where: 'a.creator = $1',
    order: 'a.alias',
  }),
  section('receipts', {
    columns: 'r.room_id, t.receipt_type, t.thread_id, t.event_id, t.ts',
    from: `memberships m join rooms r on r.room_nid = m.room_nid
      join receipts t on t.room_nid = m.room_nid and t.user_id = m.user_id`,
    where: 'm.user_id = $1',
    order: 'm.position, m.room_nid, t.receipt_type, t.thread_id',
  }),
  section('thread-subscriptions', {
    columns: 'r.room_id, e.event_id, t.state',
    from: `thread_subscriptions t join events e on e.event_nid = t.thread_nid join rooms r on r.room_nid = e.room_nid`,
    where: 't.user_id = $1',
    order: 't.thread_nid',
  }),
  section('delayed-events', {
    columns: 'device_id, room_id, type, state_key, content, delay, running_since, due_at',
    from: 'delayed_events',
    order: 'due_at, delay_id',
    json: ['content'],
    rowsAtOnce: 100,
  }),
  section('finalised-delayed-events', {
    columns: 'room_id, type, state_key, content, delay, running_since, finalised_at, event_id, error',
    from: 'finalised_delayed_events',
    order: 'finalised_at, delay_id',
    json: ['content'],
    rowsAtOnce: 100,
  }),
  section('jobs', {
    columns: 'kind, due_at, attempts, details',
    from: 'account_jobs',
    order: 'kind',
    json: ['details'],
    rowsAtOnce: 100,
  }),
  section('device-keys', { columns: 'device_id, keys', from: 'device_keys', order: 'device_id', json: ['keys'] }),
  section('cross-signing-keys', { columns: 'usage, key', from: 'cross_signing_keys', order: 'usage', json: ['key'] }),
  section('key-signatures', {
    columns: 'target, signer, signer_key, signature',
    from: 'key_signatures',
    order: 'target, signer, signer_key',
  }),
  section('one-time-keys', {
    columns: 'o.device_id, o.algorithm, o.key_id, o.key',
    from: 'last_claimed_keys l cross join one_time_keys o',
    where: `l.user_id = $1 and ${isWaiting()}`,
    order: 'o.device_id, o.algorithm, o.key_id',
    json: ['key'],
  }),
  section('fallback-keys', {
    columns: 'device_id, algorithm, key_id, key, used',
    from: 'fallback_keys',
    order: 'device_id, algorithm, key_id',
    json: ['key'],
  }),
  section('dehydrated-device', {
    columns: 'device_id, data',
    from: 'dehydrated_devices',
    order: 'device_id',
    json: ['data'],
  }),
  section('key-backups', {
    columns: 'version, algorithm, auth_data, deleted',
    from: 'key_backups',
    order: 'version',
    json: ['auth_data'],
  }),
  section('backed-up-keys', {
    columns: 'version, room_id, session_id, first_message_index, forwarded_count, is_verified, session_data',
    from: 'backed_up_keys',
    order: 'version, room_id, session_id',
    json: ['session_data'],
  }),
  section('messages-to-devices', {
    columns: 'device_id, sender, type, content',
    from: 'to_device_messages',
    order: 'device_id, position, seq',
    json: ['content'],
    rowsAtOnce: 100,
  }),
  section('presence', { columns: 'presence, status_msg, last_active', from: 'presence_states', order: 'user_id' }),
  section('presence-told-to-servers', {
    columns: 'host, recipient',
    from: 'presence_told',
    order: 'host, recipient',
  }),
  section('presence-seen', { columns: 'person', from: 'presence_sightings', order: 'person' }),
  section('reports', {
    columns: 'kind, room_id, subject, reason, received_at',
    from: 'reports',
    where: 'reporter = $1',
    order: 'report_nid',
  }),
  section('media', {
    columns: 'origin, media_id, content_type, upload_name, size, created_at',
    from: 'media',
    order: 'created_at, media_id',
  }),
];

export type SpokenRow = {
  readonly room_order: number;
  /** Null on the row that says how far was looked. */
  readonly event_id: string | null;
  readonly type: string | null;
  readonly state_key: string | null;
  readonly origin_server_ts: number | null;
  readonly content: string | null;
};

const selectSpoken = sql<SpokenRow, [roomNid: number, afterOrder: number, sender: string, window: number]>(
  'export.spoken',
  `with stretch as materialized (
     select room_order, event_nid, sender from events
     where room_nid = $1 and room_order > $2 order by room_order limit $4
   )
   select s.room_order, e.event_id, e.type, e.state_key, e.origin_server_ts, e.content
   from stretch s join events e on e.event_nid = s.event_nid where s.sender = $3
   union all
   select max(room_order) as room_order, null as event_id, null as type, null as state_key,
     null as origin_server_ts, null as content
   from stretch having count(*) > 0
   order by room_order`,
);

/** What somebody said in a stretch of a room, oldest first, and how far the stretch goes; nothing at the end of the room. */
export function readSpoken(
  reader: Reader,
  range: { readonly roomNid: number; readonly after: number; readonly window: number },
  sender: string,
): Promise<SpokenRow[]> {
  return reader.all(selectSpoken, [range.roomNid, range.after, sender, range.window]);
}
