import {
  findRoomVersion,
  type JsonObject,
  type ResolutionInput,
  type RoomEvent,
  type RoomVersionRules,
  type StateConflict,
} from '@portico/protocol';

const admin = '@admin:example.org';
const roomId = '!create';

function event(
  eventId: string,
  type: string,
  sender: string,
  stateKey: string,
  content: JsonObject,
  authEvents: readonly string[],
  originServerTs: number,
): RoomEvent {
  return {
    eventId,
    roomId,
    type,
    sender,
    stateKey,
    content,
    originServerTs,
    depth: originServerTs,
    prevEvents: ['$previous'],
    authEvents,
    redacts: undefined,
    rejected: false,
  };
}

export type BigFork = { readonly rules: RoomVersionRules; readonly input: ResolutionInput };

export type BigForkOptions = {
  readonly version: string;
  readonly members: number;
  /** How many of the members have a membership that differs between the two states. */
  readonly differing: number;
  /** How many times each of these came and went since the fork: the length of the auth difference. */
  readonly changesEach?: number;
};

/** Two states of a room with many members, as storage would put them to the resolver. */
export function bigFork({ version, members, differing, changesEach = 1 }: BigForkOptions): BigFork {
  const rules = findRoomVersion(version);
  if (rules === undefined) throw new RangeError(`There is no room version ${version}`);
  const base = rules.event.createInAuthEvents ? ['$create'] : [];
  const user = (index: number): string => `@user${index}:example.org`;
  const events = new Map<string, RoomEvent>();
  const add = (entry: RoomEvent): string => {
    events.set(entry.eventId, entry);
    return entry.eventId;
  };
  add({ ...event('$create', 'm.room.create', admin, '', { creator: admin }, [], 0), prevEvents: [] });
  add(event('$admin', 'm.room.member', admin, admin, { membership: 'join' }, base, 1));
  add(event('$levels', 'm.room.power_levels', admin, '', { users: {} }, [...base, '$admin'], 2));
  add(event('$public', 'm.room.join_rules', admin, '', { join_rule: 'public' }, [...base, '$levels', '$admin'], 3));

  const unconflicted = new Map([
    ['m.room.create ', '$create'],
    ['m.room.power_levels ', '$levels'],
    ['m.room.join_rules ', '$public'],
    [`m.room.member ${admin}`, '$admin'],
  ]);
  const conflicts: StateConflict[] = [];
  const authDifference: string[] = [];
  for (let index = 0; index < members; index++) {
    const stateKey = user(index);
    const auth = [...base, '$levels', '$public'];
    const first = add(
      event(`$join-${index}`, 'm.room.member', stateKey, stateKey, { membership: 'join' }, auth, 10 + index),
    );
    if (index >= differing) {
      unconflicted.set(`m.room.member ${stateKey}`, first);
      continue;
    }
    let last = first;
    for (let change = 0; change < changesEach; change++) {
      authDifference.push(last);
      const membership = { membership: 'join', displayname: `${change}` };
      last = add(
        event(
          `$change-${index}-${change}`,
          'm.room.member',
          stateKey,
          stateKey,
          membership,
          [...auth, last],
          members + change,
        ),
      );
    }
    conflicts.push({ type: 'm.room.member', stateKey, eventIds: [first, last], missingInSome: false });
  }

  return {
    rules,
    input: {
      conflicts,
      unconflicted: (type, stateKey) => unconflicted.get(`${type} ${stateKey}`) ?? null,
      event: (eventId) => events.get(eventId) ?? null,
      mainlinePositions: (powerLevels) => new Map([[powerLevels, 0]]),
      authDifference,
      conflictedSubgraph: authDifference,
    },
  };
}
