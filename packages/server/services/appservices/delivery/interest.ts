import type { LogEvent, LogMove } from '@portico/storage/stores/app-services/app-service-log.ts';
import type { RoomMember } from '@portico/storage/stores/app-services/app-service-members.ts';
import type { AppService } from '../app-service.ts';

export type Stretch = {
  /** In the order of their positions, as are the moves. */
  readonly events: readonly LogEvent[];
  /** Of users in whom the service is interested. */
  readonly moves: readonly LogMove[];
  /** How many of those users were in a room before. */
  readonly counts: ReadonlyMap<number, number>;
  /** Those among the users who move that were in the room before. */
  readonly present: readonly RoomMember[];
  /** Rooms that interest the service by their IDs or aliases. */
  readonly named: ReadonlySet<number>;
};

export type Interest = {
  readonly events: readonly LogEvent[];
  /** Who is in a room, and was not before the last event that was looked at, and the other way round. */
  readonly joined: readonly RoomMember[];
  readonly left: readonly RoomMember[];
};

/**
 * Which events a service is to have: those in its rooms, where any of its users was or is with the event, and those that its
 * users sent or are the target of.
 *
 * {@link https://spec.matrix.org/v1.19/application-service-api/#registration}
 */
export function findInterest(service: Pick<AppService, 'matchesUser'>, stretch: Stretch): Interest {
  const members = createMembers(stretch);
  const isConcerned = ({ sender, type, state_key: stateKey }: LogEvent): boolean =>
    service.matchesUser(sender) || (type === 'm.room.member' && stateKey !== null && service.matchesUser(stateKey));

  const events: LogEvent[] = [];
  let next = 0;
  const moveUpTo = (position: number): void => {
    for (
      let move = stretch.moves[next];
      move !== undefined && move.position <= position;
      move = stretch.moves[++next]
    ) {
      members.move(move);
    }
  };
  for (const event of stretch.events) {
    moveUpTo(event.position - 1);
    const was = members.isIn(event.room_nid);
    moveUpTo(event.position);
    if (was || members.isIn(event.room_nid) || stretch.named.has(event.room_nid) || isConcerned(event)) {
      events.push(event);
    }
  }
  moveUpTo(Infinity);
  return { events, ...members.changes() };
}

function createMembers({ counts, present }: Stretch) {
  const current = new Map(counts);
  const inRoom = new Map<string, boolean>(present.map((member) => [keyOf(member), true]));
  const before = new Map(inRoom);
  const moved = new Map<string, RoomMember>();
  return {
    isIn: (roomNid: number): boolean => (current.get(roomNid) ?? 0) > 0,
    move(move: LogMove): void {
      const key = keyOf(move);
      const [was, is] = [inRoom.get(key) ?? false, move.membership === 'join'];
      if (was === is) return;
      inRoom.set(key, is);
      moved.set(key, { room_nid: move.room_nid, user_id: move.user_id });
      current.set(move.room_nid, (current.get(move.room_nid) ?? 0) + (is ? 1 : -1));
    },
    changes(): Pick<Interest, 'joined' | 'left'> {
      const changed = [...moved].filter(([key]) => (before.get(key) ?? false) !== (inRoom.get(key) ?? false));
      const now = (wanted: boolean) =>
        changed.filter(([key]) => (inRoom.get(key) ?? false) === wanted).map(([, member]) => member);
      return { joined: now(true), left: now(false) };
    },
  };
}

function keyOf({ room_nid: roomNid, user_id: userId }: RoomMember): string {
  return `${roomNid} ${userId}`;
}
