import type { Migration } from './migration.ts';

/**
 * Who has been told of whom, a row for each: so that processes that share the database do not overwrite what others have
 * stored, and what is stored for a change is the change.
 */
export const presenceTold: Migration = {
  version: 37,
  name: 'presence-told',
  statements: [
    /* user_id was shown person as anything but offline, by whichever process. */
    `create table presence_sightings (
      user_id text not null,
      person text not null,
      primary key (user_id, person)
    ) /* sqlite: without rowid */`,
    /*
     * Another server may believe that user_id is not offline, and show it to these: recipient is a user ID, a pattern, or
     * empty for all who share a room. Goes when the server has taken an "offline" for them.
     */
    `create table presence_told (
      user_id text not null,
      host text not null,
      recipient text not null,
      primary key (user_id, host, recipient)
    ) /* sqlite: without rowid */`,
    `insert into presence_sightings (user_id, person)
     select distinct s.user_id, e.value
     from presence_shown s
     join /* sqlite: json_each(s.shown) */ /* postgres: portico_functions.json_each(s.shown) */ e on true
     where substr(s.user_id, 1, 16) <> 'servers told of '`,
    `insert into presence_told (user_id, host, recipient)
     select distinct substr(s.user_id, 17), e.value, ''
     from presence_shown s
     join /* sqlite: json_each(s.shown) */ /* postgres: portico_functions.json_each(s.shown) */ e on true
     where substr(s.user_id, 1, 16) = 'servers told of '`,
    'drop table presence_shown',
  ],
};
