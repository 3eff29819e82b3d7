import type { Migration } from './migration.ts';

/**
 * Rooms, their events in one order, the state now, who is in them, and what each of their people has read.
 *
 * `room_order` is the order that `/sync` and `/messages` share: stream position × 2^20, and slots below that for events
 * that fill a gap before one that is already there. It is null on events outside the timeline (outliers, rejected events).
 */
export const rooms: Migration = {
  version: 2,
  name: 'rooms',
  statements: [
    /* The head of a room: one row that every event moves, guarded by `head_version`. */
    `create table rooms (
      room_nid bigint primary key,
      room_id text not null unique,
      room_version text not null,
      create_event_nid bigint not null,
      head_version bigint not null,
      extremities text not null,
      state_root bigint not null,
      max_depth bigint not null,
      last_event_nid bigint not null,
      last_position bigint not null,
      ordinal bigint not null,
      joined_count bigint not null,
      invited_count bigint not null
    )`,

    /* before_content || content || after_content is the PDU as canonical JSON, without unsigned. */
    `create table events (
      event_nid bigint primary key,
      event_id text not null unique,
      room_nid bigint not null,
      status bigint not null,
      stream_position bigint,
      room_order bigint,
      type text not null,
      state_key text,
      sender text not null,
      origin_server_ts bigint not null,
      depth bigint not null,
      before_content text not null,
      content text not null,
      after_content text not null,
      state_before bigint,
      state_after bigint,
      head_state bigint,
      replaces_nid bigint,
      redacted_by bigint,
      thread_nid bigint,
      ordinal bigint,
      chain_id bigint,
      chain_seq bigint,
      power_levels_nid bigint,
      sender_device text,
      txn_id text
    )`,
    'create unique index events_by_room_order on events (room_nid, room_order) where room_order is not null',
    `create unique index events_by_transaction on events (sender, sender_device, txn_id, room_nid, type)
      where txn_id is not null`,

    /* The mainlines of rooms: each event of power levels with the one among its auth events. A narrow copy, for long walks. */
    `create table power_levels_links (
      event_nid bigint primary key,
      event_id text not null,
      base_nid bigint
    )`,

    /* What a redaction took away, until `delete_after` (milliseconds): moderators of this server may still look at it. */
    `create table redacted_originals (
      event_nid bigint primary key,
      before_content text not null,
      content text not null,
      after_content text not null,
      delete_after bigint not null
    )`,
    'create index redacted_originals_by_date on redacted_originals (delete_after)',

    `create table current_state (
      room_nid bigint not null,
      type text not null,
      state_key text not null,
      event_nid bigint not null,
      primary key (room_nid, type, state_key)
    ) /* sqlite: without rowid */`,

    /* One row for everyone who ever had a membership. position: of the last change; forgotten: 1 once they forgot it. */
    `create table memberships (
      room_nid bigint not null,
      user_id text not null,
      membership text not null,
      event_nid bigint not null,
      room_order bigint not null,
      position bigint not null,
      is_local bigint not null,
      forgotten bigint not null default 0,
      primary key (room_nid, user_id)
    ) /* sqlite: without rowid */`,
    'create index memberships_by_user on memberships (user_id, position)',
    'create index memberships_by_kind on memberships (room_nid, membership, room_order)',

    /* Changes of memberships, for the hosts that were in a room at a position and for /sync's deltas. */
    `create table membership_changes (
      position bigint not null,
      event_nid bigint not null,
      room_nid bigint not null,
      user_id text not null,
      membership text not null,
      previous text not null,
      primary key (position, event_nid)
    )`,
    'create index membership_changes_by_user on membership_changes (user_id, position)',
    'create index membership_changes_by_room on membership_changes (room_nid, position)',

    /* How many joined members a server has in a room, and since which position it has any. */
    `create table joined_hosts (
      room_nid bigint not null,
      host text not null,
      joined bigint not null,
      since_position bigint not null,
      primary key (room_nid, host)
    ) /* sqlite: without rowid */`,
    'create index joined_hosts_by_host on joined_hosts (host, room_nid)',

    `create table room_aliases (
      alias text primary key,
      room_nid bigint not null,
      creator text not null
    )`,
    'create index room_aliases_by_room on room_aliases (room_nid)',

    /* Rooms that anyone may find in this server's directory. */
    'create table published_rooms (room_nid bigint primary key)',

    /* The state that came with an invite or knock, for people whose server may not be in the room. */
    `create table stripped_states (
      room_nid bigint not null,
      user_id text not null,
      event_nid bigint not null,
      events text not null,
      primary key (room_nid, user_id)
    ) /* sqlite: without rowid */`,

    /*
     * What counts as unread in a thread is its ordinal; a room's own is in its head. unread_order: of the last event that
     * counted; last_order and last_event_nid: of the last message.
     */
    `create table threads (
      room_nid bigint not null,
      thread_nid bigint not null,
      ordinal bigint not null,
      unread_order bigint not null,
      last_event_nid bigint not null,
      last_order bigint not null,
      reply_count bigint not null,
      primary key (room_nid, thread_nid)
    ) /* sqlite: without rowid */`,
    'create index threads_by_order on threads (room_nid, last_order)',
    'create index threads_by_unread on threads (room_nid, unread_order)',
    `create index events_by_thread on events (thread_nid, room_order)
      where thread_nid is not null and room_order is not null`,

    /*
     * How far a person has read, by receipts and by what they sent. thread_nid 0: the room outside its threads; its row
     * also says up to which room_order all threads are read.
     */
    `create table read_markers (
      user_id text not null,
      room_nid bigint not null,
      thread_nid bigint not null,
      ordinal bigint not null,
      threads_order bigint not null,
      primary key (user_id, room_nid, thread_nid)
    ) /* sqlite: without rowid */`,

    /*
     * Whom an event counts for otherwise than the ordinals say. A row of user_id '' is for all who have none of their own.
     * base_notify, base_highlight: what the event is for those.
     */
    `create table unread_exceptions (
      user_id text not null,
      room_nid bigint not null,
      thread_nid bigint not null,
      ordinal bigint not null,
      event_nid bigint not null,
      room_order bigint not null,
      notify bigint not null,
      highlight bigint not null,
      base_notify bigint not null,
      base_highlight bigint not null,
      primary key (user_id, room_nid, thread_nid, ordinal, event_nid)
    ) /* sqlite: without rowid */`,
    'create index unread_exceptions_by_event on unread_exceptions (event_nid)',

    /*
     * How a person's unread events are counted after `since_order`; like everyone's where there is no row. Earlier rows
     * stay, so that a change of rules counts nothing anew. ordinal: the room's at since_order.
     */
    `create table unread_modes (
      user_id text not null,
      room_nid bigint not null,
      since_order bigint not null,
      ordinal bigint not null,
      mode text not null,
      primary key (user_id, room_nid, since_order)
    ) /* sqlite: without rowid */`,

    /* thread_id: '' is unthreaded, 'main' the main timeline, else the thread's root. */
    `create table receipts (
      room_nid bigint not null,
      user_id text not null,
      receipt_type text not null,
      thread_id text not null,
      event_id text not null,
      event_order bigint not null,
      ts bigint not null,
      position bigint not null,
      primary key (room_nid, user_id, receipt_type, thread_id)
    ) /* sqlite: without rowid */`,
    'create index receipts_by_position on receipts (room_nid, position)',
  ],
};
