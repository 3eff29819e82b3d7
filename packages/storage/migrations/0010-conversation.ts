import type { Migration } from './migration.ts';

/** What events say about each other, messages to devices, and what finds messages and people. */
export const conversation: Migration = {
  version: 10,
  name: 'conversation',
  statements: [
    /*
     * Which events relate to an event of their room, by its ID: it need not be here yet. A redacted event relates to
     * nothing. replaces: 1 for an edit that may count; annotation_key: of annotations only.
     */
    `create table relations (
      room_nid bigint not null,
      target_id text not null,
      room_order bigint not null,
      event_nid bigint not null,
      event_id text not null,
      rel_type text not null,
      event_type text not null,
      sender text not null,
      ts bigint not null,
      replaces bigint not null,
      annotation_key text,
      primary key (room_nid, target_id, room_order)
    ) /* sqlite: without rowid */`,
    'create index relations_by_type on relations (room_nid, target_id, rel_type, room_order, sender)',
    'create index relations_by_event on relations (event_nid)',
    `create index relations_by_annotation on relations (room_nid, target_id, sender, annotation_key)
      where annotation_key is not null`,
    /* What has to be looked for when the event is shown: 1 a thread, 2 edits, 4 references. Null for nothing. */
    'alter table events add column relation_kinds bigint',

    /* seq: of the messages that came in one request. */
    `create table to_device_messages (
      user_id text not null,
      device_id text not null,
      position bigint not null,
      seq bigint not null,
      sender text not null,
      type text not null,
      content text not null,
      primary key (user_id, device_id, position, seq)
    ) /* sqlite: without rowid */`,
    `create table to_device_transactions (
      user_id text not null,
      device_id text not null,
      type text not null,
      txn_id text not null,
      created_at bigint not null,
      primary key (user_id, device_id, type, txn_id)
    ) /* sqlite: without rowid */`,
    'create index to_device_transactions_by_date on to_device_transactions (created_at)',

    /* How far what is worked out after the commit has come, by its name. */
    `create table consumers (
      name text not null primary key,
      position bigint not null
    ) /* sqlite: without rowid */`,
    `insert into consumers (name, position) values ('search', 0), ('user-directory', 0)`,
    /* What these consumers read of the rooms, and no more. */
    `create index events_to_consume on events (stream_position)
      where type in ('m.room.message', 'm.room.name', 'm.room.topic', 'm.room.encryption')`,
    `create index join_rules_to_consume on events (stream_position) where type = 'm.room.join_rules'`,

    /*
     * The full text of messages, one row for an event, without the text itself. rowid: the event's number. scope: a word
     * for the room and one for what part of an event the text is.
     */
    `/* sqlite: create virtual table message_search using fts5(
      words, scope, content='', contentless_delete=1, tokenize='ascii'
    ) */`,
    `/* sqlite: insert into message_search (message_search, rank) values ('secure-delete', 1) */`,
    `/* postgres: create table message_search (
      rowid bigint primary key,
      document tsvector not null
    ) */`,
    '/* postgres: create index message_search_by_word on message_search using gin (document) */',

    /* Rooms that anyone may join. */
    'create table open_rooms (room_nid bigint primary key)',
    /* People in rooms, and the words by which they are found. */
    `create table directory_users (
      user_id text not null primary key,
      display_name text,
      avatar_url text
    ) /* sqlite: without rowid */`,
    `create table directory_words (
      word text not null,
      user_id text not null,
      primary key (word, user_id)
    ) /* sqlite: without rowid */`,
    'create index directory_words_by_user on directory_words (user_id, word)',
  ],
};
