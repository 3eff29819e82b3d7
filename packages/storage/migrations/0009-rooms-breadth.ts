import type { Migration } from './migration.ts';

export const roomsBreadth: Migration = {
  version: 9,
  name: 'rooms-breadth',
  statements: [
    /* Jumping to a date. */
    `create index events_by_time on events (room_nid, origin_server_ts, room_order) where room_order is not null`,

    /* What people complain about, for the administrators. subject: the event or the person; '' where the room is meant. */
    `create table reports (
      report_nid bigint primary key,
      kind text not null,
      reporter text not null,
      room_id text not null,
      subject text not null,
      reason text not null,
      received_at bigint not null
    )`,
    'create index reports_by_reporter on reports (reporter)',

    /* Tokens with which people prove to others who they are, as hashes. */
    `create table openid_tokens (
      token_hash text primary key,
      user_id text not null,
      expires_at bigint not null
    ) /* sqlite: without rowid */`,
    'create index openid_tokens_by_user on openid_tokens (user_id, expires_at)',
  ],
};
