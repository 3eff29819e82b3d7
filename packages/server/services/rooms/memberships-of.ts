import { serverNameOf } from '@portico/protocol';
import type { MembershipChange } from '@portico/storage/stores/rooms/memberships-write.ts';
import type { RoomHead, StateEvent } from './head.ts';
import type { EntryChange } from './steps.ts';

/** The changes of membership among changes of a room's state. `eventNid` is the event that brought them about. */
export function membershipsOf(
  { roomNid }: Pick<RoomHead, 'roomNid'>,
  entries: readonly EntryChange[],
  eventNid: number,
  serverName: string,
): MembershipChange[] {
  const memberships: MembershipChange[] = [];
  for (const { type, stateKey: userId, before, after } of entries) {
    if (type !== 'm.room.member') continue;
    const host = serverNameOf(userId) ?? '';
    memberships.push({
      roomNid,
      userId,
      membership: membershipIn(after),
      previous: membershipIn(before),
      eventNid: after?.nid ?? eventNid,
      host,
      isLocal: host === serverName,
    });
  }
  return memberships;
}

function membershipIn(member: StateEvent | undefined): string {
  const membership = member?.event.content['membership'];
  return typeof membership === 'string' ? membership : 'leave';
}

/** How many more people have a membership after changes than had before. */
export function countChange(memberships: readonly MembershipChange[], kind: string): number {
  return memberships.reduce(
    (sum, { membership, previous }) => sum + Number(membership === kind) - Number(previous === kind),
    0,
  );
}
