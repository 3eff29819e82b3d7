import type { Reader } from '../../database.ts';
import { sql } from '../../sql.ts';

/** Somebody in a room, as an EDU names them. */
export type EduMemberRow = {
  readonly room_id: string;
  readonly user_id: string;
  readonly room_nid: number;
  /** The event with the server ACLs of the room. */
  readonly acl_nid: number | null;
};

const selectMembers = sql<EduMemberRow, [pairs: string, own: string]>(
  'edu-rooms.members',
  `select r.room_id, m.user_id, r.room_nid,
     (select c.event_nid from current_state c
      where c.room_nid = r.room_nid and c.type = 'm.room.server_acl' and c.state_key = '') as acl_nid
   from json_each(cast($1 as text)) p
   cross join rooms r cross join memberships m cross join joined_hosts h
   where r.room_id = p.value ->> 0 and m.room_nid = r.room_nid and m.user_id = p.value ->> 1 and m.membership = 'join'
     and h.room_nid = r.room_nid and h.host = $2 and h.joined > 0`,
);

const selectContents = sql<{ event_nid: number; content: string }, [eventNids: string]>(
  'edu-rooms.acls',
  `select event_nid, content from events
   where event_nid in (select cast(value as bigint) from json_each(cast($1 as text)))`,
);

/** Which of these people are joined to these rooms, where this server is in the room, too. */
export function readEduMembers(
  reader: Reader,
  own: string,
  pairs: readonly (readonly [roomId: string, userId: string])[],
): Promise<EduMemberRow[]> {
  return reader.all(selectMembers, [JSON.stringify(pairs), own]);
}

/** The contents of events with server ACLs. */
export function readAclContents(
  reader: Reader,
  eventNids: readonly number[],
): Promise<{ event_nid: number; content: string }[]> {
  return reader.all(selectContents, [JSON.stringify(eventNids)]);
}
