import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';

export type CustomMemberRow = {
  readonly user_id: string;
  /** The content of their `m.push_rules`, null if they never changed anything. */
  readonly push_rules: string | null;
  /** The content of their `m.ignored_user_list`. */
  readonly ignored: string | null;
  /** The content of their `m.room.member` event. */
  readonly member_content: string | null;
  /** Whether they are told of what happens on some device. */
  readonly has_pushers: number;
};

export type UserRulesRow = Pick<CustomMemberRow, 'push_rules' | 'ignored' | 'has_pushers'>;

const hasPushers = (userId: string): string =>
  `case when exists (select 1 from pushers p where p.user_id = ${userId} and p.enabled = 1) then 1 else 0 end`;

const selectMembers = sql<CustomMemberRow, [roomNid: number]>(
  'custom-rules.of-room',
  `select c.user_id, p.content as push_rules, i.content as ignored, e.content as member_content,
     ${hasPushers('c.user_id')} as has_pushers
   from custom_rule_members c
   join memberships m on m.room_nid = c.room_nid and m.user_id = c.user_id and m.membership = 'join'
   left join events e on e.event_nid = m.event_nid
   left join account_data p on p.user_id = c.user_id and p.room_id = '' and p.type = 'm.push_rules'
   left join account_data i on i.user_id = c.user_id and i.room_id = '' and i.type = 'm.ignored_user_list'
   where c.room_nid = $1`,
);

const selectUser = sql<{ type: string; content: string }, [userId: string]>(
  'custom-rules.of-user',
  `select type, content from account_data
   where user_id = $1 and room_id = '' and type in ('m.push_rules', 'm.ignored_user_list')`,
);
const selectHasPushers = sql<{ has_pushers: number }, [userId: string]>(
  'custom-rules.has-pushers',
  `select ${hasPushers('$1')} as has_pushers`,
);

const insertMember = sql<void, [roomNid: number, userId: string]>(
  'custom-rules.add',
  'insert into custom_rule_members (room_nid, user_id) values ($1, $2) on conflict do nothing',
);

const insertMemberWithPushers = sql<void, [roomNid: number, userId: string]>(
  'custom-rules.add-with-pushers',
  `insert into custom_rule_members (room_nid, user_id)
   select cast($1 as bigint), cast($2 as text) where exists (select 1 from pushers p where p.user_id = $2)
   on conflict do nothing`,
);
const deleteMember = sql<void, [roomNid: number, userId: string]>(
  'custom-rules.remove',
  'delete from custom_rule_members where room_nid = $1 and user_id = $2',
);

const insertInRooms = sql<void, [userId: string, roomNids: string]>(
  'custom-rules.add-in-rooms',
  `insert into custom_rule_members (room_nid, user_id)
   select cast(value as bigint), $1 from json_each(cast($2 as text)) where true
   on conflict do nothing`,
);

const insertEverywhere = sql<void, [userId: string]>(
  'custom-rules.add-everywhere',
  `insert into custom_rule_members (room_nid, user_id)
   select room_nid, user_id from memberships where user_id = $1 and membership = 'join'
   on conflict do nothing`,
);

/** The change that says in which room people's rules differ otherwise than before: its number, or `everyRoom`. */
export const audienceChange = 'audience';
export const everyRoom = '*';

/** Joined members of a room who may have rules of their own, with what they have. */
export function readCustomMembers(reader: Reader, roomNid: number): Promise<CustomMemberRow[]> {
  return reader.all(selectMembers, [roomNid]);
}

export async function readUserRules(reader: Reader, userId: string): Promise<UserRulesRow> {
  const [rows, pushers] = await Promise.all([reader.all(selectUser, [userId]), reader.get(selectHasPushers, [userId])]);
  const content = (type: string): string | null => rows.find((row) => row.type === type)?.content ?? null;
  return {
    push_rules: content('m.push_rules'),
    ignored: content('m.ignored_user_list'),
    has_pushers: pushers?.has_pushers ?? 0,
  };
}

export function addCustomMember(set: WriteSet, roomNid: number, userId: string): void {
  set.add(insertMember, [roomNid, userId]);
  set.change(audienceChange, roomNid);
}

/** For everyone who joins: whether they have pushers is then certain, whoever sets one at the same moment. */
export function addCustomMemberWithPushers(set: WriteSet, roomNid: number, userId: string): void {
  set.add(insertMemberWithPushers, [roomNid, userId]);
}

export function removeCustomMember(set: WriteSet, roomNid: number, userId: string): void {
  set.add(deleteMember, [roomNid, userId]);
  set.change(audienceChange, roomNid);
}

const mostRoomsNamed = 100;

/** Somebody's rules have become, or ceased to be, other than the default ones in these rooms. */
export function changeCustomRooms(set: WriteSet, userId: string, roomNids: readonly number[]): void {
  if (roomNids.length === 0) return;
  set.add(insertInRooms, [userId, JSON.stringify(roomNids)]);
  announceAudiences(set, roomNids);
}

function announceAudiences(set: WriteSet, roomNids: readonly number[]): void {
  if (roomNids.length > mostRoomsNamed) set.change(audienceChange, everyRoom);
  else for (const roomNid of roomNids) set.change(audienceChange, roomNid);
}

/** To be in the same commit as every change of somebody's `m.ignored_user_list`. */
export function addCustomMemberEverywhere(set: WriteSet, userId: string): void {
  set.add(insertEverywhere, [userId]);
  set.change(audienceChange, everyRoom);
}

/** Somebody wants to be told of what happens in their rooms. `roomNids`: those they were in a moment ago. */
export function addPushedMember(set: WriteSet, userId: string, roomNids: readonly number[]): void {
  set.add(insertEverywhere, [userId]);
  announceAudiences(set, roomNids);
}
