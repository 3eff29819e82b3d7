import type { PositionParam, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { queueInvite } from '../push/push-queue.ts';
import { noteStickyArrival } from '../events/sticky-deliveries.ts';
import { noteMovedMember } from './moved-member.ts';

export type MembershipChange = {
  readonly roomNid: number;
  readonly userId: string;
  readonly membership: string;
  /** The membership before; `leave` for someone who never had one. */
  readonly previous: string;
  readonly eventNid: number;
  readonly host: string;
  readonly isLocal: boolean;
};

const upsertMembership = sql<
  void,
  [roomNid: number, userId: string, membership: string, eventNid: number, position: PositionParam, isLocal: number]
>(
  'memberships.set',
  `insert into memberships (room_nid, user_id, membership, event_nid, room_order, position, is_local, forgotten)
   values ($1, $2, $3, $4, position($5) * 1048576, position($5), $6, 0)
   on conflict (room_nid, user_id) do update set membership = excluded.membership, event_nid = excluded.event_nid,
     room_order = excluded.room_order, position = excluded.position,
     forgotten = case when excluded.membership in ('join', 'knock') then 0 else memberships.forgotten end`,
);

const insertMembershipChange = sql<
  void,
  [position: PositionParam, eventNid: number, roomNid: number, userId: string, membership: string, previous: string]
>(
  'membership-changes.insert',
  `insert into membership_changes (position, event_nid, room_nid, user_id, membership, previous)
   values (position($1), $2, $3, $4, $5, $6)`,
);

const countHostIn = sql<void, [roomNid: number, host: string, position: PositionParam]>(
  'joined-hosts.in',
  `insert into joined_hosts (room_nid, host, joined, since_position) values ($1, $2, 1, position($3))
   on conflict (room_nid, host) do update set
     since_position = case when joined_hosts.joined = 0 then excluded.since_position
                           else joined_hosts.since_position end,
     joined = joined_hosts.joined + 1`,
);

const countHostOut = sql<void, [roomNid: number, host: string]>(
  'joined-hosts.out',
  'update joined_hosts set joined = joined - 1 where room_nid = $1 and host = $2',
);

const upsertStrippedState = sql<
  void,
  [roomNid: number, userId: string, eventNid: number, events: string, servers: string]
>(
  'stripped-states.set',
  `insert into stripped_states (room_nid, user_id, event_nid, events, servers) values ($1, $2, $3, $4, $5)
   on conflict (room_nid, user_id) do update set event_nid = excluded.event_nid, events = excluded.events,
     servers = excluded.servers`,
);

const insertEndedRequest = sql<void, [host: string, position: PositionParam, eventNid: number]>(
  'ended-requests.insert',
  'insert into ended_requests (host, position, event_nid) values ($1, position($2), $3) on conflict do nothing',
);

const touchMembership = sql<void, [roomNid: number, userId: string, eventId: string]>(
  'memberships.touch',
  `update memberships set membership = membership where room_nid = $1 and user_id = $2
     and event_nid = (select event_nid from events where event_id = $3)`,
);

/** Fails on the guard `membership.changed` unless it is still this event that says what somebody is to a room. */
export function requireMemberEvent(set: WriteSet, roomNid: number, userId: string, eventId: string): void {
  set.guard('membership.changed', 1, touchMembership, [roomNid, userId, eventId]);
}

/** Records a membership event in all that is kept about who is in the room, except the counts of its head. */
export function setMembership(set: WriteSet, change: MembershipChange, position: PositionParam): void {
  const { roomNid, userId, membership, previous, eventNid } = change;
  set.add(upsertMembership, [roomNid, userId, membership, eventNid, position, change.isLocal ? 1 : 0]);
  set.add(insertMembershipChange, [position, eventNid, roomNid, userId, membership, previous]);
  if (membership === 'join' && previous !== 'join') {
    set.add(countHostIn, [roomNid, change.host, position]);
    if (!change.isLocal) noteStickyArrival(set, change.host, roomNid, position);
  }
  if (membership !== 'join' && previous === 'join') set.add(countHostOut, [roomNid, change.host]);
  if (!change.isLocal && endsRequest(change)) set.add(insertEndedRequest, [change.host, position, eventNid]);
  if (change.isLocal && membership === 'invite' && previous !== 'invite') queueInvite(set, change, position);
  noteMovedMember(set, change);
}

function endsRequest({ membership, previous }: MembershipChange): boolean {
  return (previous === 'invite' || previous === 'knock') && (membership === 'leave' || membership === 'ban');
}

export type StrippedState = {
  readonly roomNid: number;
  readonly userId: string;
  readonly eventNid: number;
  /** A JSON array of stripped state events. */
  readonly events: string;
  /** Servers through which the room was reached; none if this server is in it. */
  readonly servers: readonly string[];
};

/** Keeps what an invited or knocking person of this server is shown of the room. */
export function setStrippedState(set: WriteSet, { roomNid, userId, eventNid, events, servers }: StrippedState): void {
  set.add(upsertStrippedState, [roomNid, userId, eventNid, events, JSON.stringify(servers)]);
}
