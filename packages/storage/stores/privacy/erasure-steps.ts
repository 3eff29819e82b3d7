import { type Sql, sql } from '../../sql.ts';

/** Erases up to so many rows of a person, and returns one row for each. */
export type ErasureStatement = Sql<{ erased: number }, [userId: string, limit: number]>;

export type ErasureStep = { readonly what: string; readonly statement: ErasureStatement };

type Rows = {
  readonly table: string;
  /** The columns of its primary key. */
  readonly key: readonly string[];
  /** Which rows are the person's, as a condition; those with their ID as `user_id` if left out. */
  readonly where?: string;
  /** Instead of the table itself: what is read to find them. */
  readonly from?: string;
};

/** Deletes rows, so many at a time that others are not kept waiting. */
function erase(what: string, { table, key, where = 'user_id = $1', from = table }: Rows): ErasureStep {
  const of = from === table ? '' : 't.';
  return {
    what,
    statement: sql(
      `erasure.${what}`,
      `delete from ${table} where (${key.join(', ')}) in (
         select ${key.map((column) => of + column).join(', ')} from ${from} where ${where} limit $2
       ) returning 1 as erased`,
    ),
  };
}

/** For tables in which a person is found by way of their rooms. */
const inTheirRooms = (table: string): Pick<Rows, 'from' | 'where'> => ({
  from: `memberships m join ${table} t on t.room_nid = m.room_nid and t.user_id = m.user_id`,
  where: 'm.user_id = $1',
});

const slidingKeys = { answers: 'serial', rooms: 'room_nid', configs: 'hash' } as const;

function ofSlidingConnections(kind: keyof typeof slidingKeys): ErasureStep {
  return erase(`sliding-${kind}`, {
    table: `sliding_${kind}`,
    key: ['connection_nid', slidingKeys[kind]],
    from: `sliding_connections c join sliding_${kind} t on t.connection_nid = c.connection_nid`,
    where: 'c.user_id = $1',
  });
}

/**
 * Everything that is kept of a person but what they said in rooms, in the order in which it goes. A table that is new, and
 * in which people are, belongs here: a test walks the database for what is left of somebody.
 */
export const erasureSteps: readonly ErasureStep[] = [
  erase('access-tokens', { table: 'access_tokens', key: ['token_hash'] }),
  erase('refresh-tokens', { table: 'refresh_tokens', key: ['token_hash'] }),
  erase('openid-tokens', { table: 'openid_tokens', key: ['token_hash'] }),
  erase('login-tokens', { table: 'login_tokens', key: ['token_hash'] }),
  erase('external-ids', { table: 'external_ids', key: ['provider', 'subject'] }),
  erase('logins-under-way', { table: 'sso_logins', key: ['login_hash'] }),
  erase('oauth-sessions', { table: 'oauth_sessions', key: ['user_id', 'device_id'] }),
  erase('provider-sessions', { table: 'provider_sessions', key: ['user_id', 'device_id'] }),
  erase('oauth-requests', { table: 'oauth_requests', key: ['request_hash'] }),
  erase('oauth-codes', { table: 'oauth_codes', key: ['code_hash'] }),
  erase('oauth-device-grants', { table: 'oauth_device_grants', key: ['device_code_hash'] }),
  erase('third-party-ids', { table: 'third_party_ids', key: ['medium', 'address'] }),
  erase('third-party-bindings', {
    table: 'third_party_bindings',
    key: ['user_id', 'medium', 'address', 'id_server'],
  }),
  ofSlidingConnections('answers'),
  ofSlidingConnections('rooms'),
  ofSlidingConnections('configs'),
  erase('sliding-connections', { table: 'sliding_connections', key: ['connection_nid'] }),
  erase('server-notice-room', { table: 'server_notice_rooms', key: ['user_id'] }),
  erase('devices', { table: 'devices', key: ['user_id', 'device_id'] }),
  erase('dehydrated-device', { table: 'dehydrated_devices', key: ['user_id'] }),
  erase('device-keys', { table: 'device_keys', key: ['user_id', 'device_id'] }),
  erase('one-time-keys', { table: 'one_time_keys', key: ['user_id', 'device_id', 'algorithm', 'ordinal'] }),
  erase('last-claimed-keys', { table: 'last_claimed_keys', key: ['user_id', 'device_id', 'algorithm'] }),
  erase('fallback-keys', { table: 'fallback_keys', key: ['user_id', 'device_id', 'algorithm'] }),
  erase('cross-signing-keys', { table: 'cross_signing_keys', key: ['user_id', 'usage'] }),
  erase('key-signatures', { table: 'key_signatures', key: ['user_id', 'target', 'signer', 'signer_key'] }),
  erase('signatures-of-others', {
    table: 'key_signatures',
    key: ['user_id', 'target', 'signer', 'signer_key'],
    where: 'signer = $1',
  }),
  erase('backed-up-keys', { table: 'backed_up_keys', key: ['user_id', 'version', 'room_id', 'session_id'] }),
  erase('key-backups', { table: 'key_backups', key: ['user_id', 'version'] }),
  erase('messages-to-devices', { table: 'to_device_messages', key: ['user_id', 'device_id', 'position', 'seq'] }),
  erase('to-device-transactions', {
    table: 'to_device_transactions',
    key: ['user_id', 'device_id', 'type', 'txn_id'],
  }),
  erase('profile-fields', { table: 'profile_fields', key: ['user_id', 'name'] }),
  erase('account-data', { table: 'account_data', key: ['user_id', 'room_id', 'type'] }),
  erase('filters', { table: 'filters', key: ['user_id', 'filter_id'] }),
  erase('delayed-events', { table: 'delayed_events', key: ['delay_id'] }),
  erase('finalised-delayed-events', { table: 'finalised_delayed_events', key: ['delay_id'] }),
  erase('push-rule-members', { table: 'custom_rule_members', key: ['room_nid', 'user_id'] }),
  erase('pushers', { table: 'pushers', key: ['user_id', 'app_id', 'pushkey'] }),
  erase('push-queue', { table: 'push_queue', key: ['user_id', 'position', 'event_nid'] }),
  erase('read-markers', { table: 'read_markers', key: ['user_id', 'room_nid', 'thread_nid'] }),
  erase('unread-exceptions', {
    table: 'unread_exceptions',
    key: ['user_id', 'room_nid', 'thread_nid', 'ordinal', 'event_nid'],
  }),
  erase('unread-modes', { table: 'unread_modes', key: ['user_id', 'room_nid', 'since_order'] }),
  erase('thread-subscriptions', { table: 'thread_subscriptions', key: ['user_id', 'thread_nid'] }),
  erase('receipts', {
    table: 'receipts',
    key: ['room_nid', 'user_id', 'receipt_type', 'thread_id'],
    ...inTheirRooms('receipts'),
  }),
  erase('invitations', { table: 'stripped_states', key: ['room_nid', 'user_id'], ...inTheirRooms('stripped_states') }),
  erase('sticky-events', {
    table: 'sticky_events',
    key: ['event_nid'],
    from: 'memberships m join sticky_events t on t.room_nid = m.room_nid and t.sender = m.user_id',
    where: 'm.user_id = $1',
  }),
  erase('presence', { table: 'presence_states', key: ['user_id'] }),
  erase('presence-shown', { table: 'presence_sightings', key: ['user_id', 'person'] }),
  erase('directory-words', { table: 'directory_words', key: ['word', 'user_id'] }),
  erase('directory-entries', { table: 'directory_users', key: ['user_id'] }),
  {
    what: 'redacted-originals',
    statement: sql(
      'erasure.redacted-originals',
      `delete from redacted_originals where event_nid in (
         select o.event_nid from redacted_originals o join events e on e.event_nid = o.event_nid
         where e.sender = $1 limit $2
       ) returning 1 as erased`,
    ),
  },
  {
    // The last thing that rooms know of a person shows the name that they had before.
    what: 'profiles-before-leaving',
    statement: sql(
      'erasure.profiles-before-leaving',
      `update events set replaces_nid = null where event_nid in (
         select m.event_nid from memberships m join events e on e.event_nid = m.event_nid
         where m.user_id = $1 and e.replaces_nid is not null limit $2
       ) returning 1 as erased`,
    ),
  },
  {
    what: 'devices-of-events',
    statement: sql(
      'erasure.devices-of-events',
      `update events set sender_device = null, txn_id = null where event_nid in (
         select event_nid from events where sender = $1 and txn_id is not null limit $2
       ) returning 1 as erased`,
    ),
  },
  {
    what: 'names-on-reports',
    statement: sql(
      'erasure.names-on-reports',
      `update reports set reporter = '' where report_nid in (
         select report_nid from reports where reporter = $1 limit $2
       ) returning 1 as erased`,
    ),
  },
  {
    what: 'names-on-blocked-rooms',
    statement: sql(
      'erasure.names-on-blocked-rooms',
      `update blocked_rooms set blocked_by = '' where room_id in (
         select room_id from blocked_rooms where blocked_by = $1 limit $2
       ) returning 1 as erased`,
    ),
  },
  {
    what: 'names-on-quarantined-media',
    statement: sql(
      'erasure.names-on-quarantined-media',
      `update quarantined_media set quarantined_by = '' where (origin, media_id) in (
         select origin, media_id from quarantined_media where quarantined_by = $1 limit $2
       ) returning 1 as erased`,
    ),
  },
  {
    what: 'names-on-aliases',
    statement: sql(
      'erasure.names-on-aliases',
      `update room_aliases set creator = '' where alias in (
         select alias from room_aliases where creator = $1 limit $2
       ) returning 1 as erased`,
    ),
  },
];
