import { hash } from 'node:crypto';
import { authorise, userPowerLevel, type RoomEvent, type RoomVersionRules, type StateMap } from '@portico/protocol';

/*
 * State resolution as the text has it, word for word and as slow as that is: whole states, whole auth chains, nothing kept. It is what
 * the real one is compared with, so it shares nothing with it but the authorisation rules.
 */

type Find = (eventId: string) => RoomEvent | undefined;
/** Entries as `JSON.stringify([type, stateKey])`. */
type State = Map<string, RoomEvent>;

/**
 * The servers that we know of agree on two readings that are not those of the letter, and Portico agrees with them:
 *
 * - "taking every event that doesn't appear in every auth chain": as practised, an event of a state is in the state's auth chain.
 * - "enlarge *X* by adding the events in the auth chain of *P* which also belong to the full conflicted set": as practised, *P* leads to
 *   these by way of other events of the set only, and so does the ordering.
 */
export type ChainReading = 'to the letter' | 'as practised';

export function slowResolve(
  rules: RoomVersionRules,
  states: readonly StateMap[],
  find: Find,
  reading: ChainReading = 'as practised',
): StateMap {
  const maps = states.map((state) => flatten(state, find));
  const resolved = rules.stateResolution === 'v1' ? resolveOld(rules, maps) : resolveNew(rules, maps, find, reading);
  const result = new Map<string, Map<string, string>>();
  for (const event of resolved.values()) {
    result.set(
      event.type,
      (result.get(event.type) ?? new Map<string, string>()).set(event.stateKey ?? '', event.eventId),
    );
  }
  return result;
}

function flatten(state: StateMap, find: Find): State {
  const flat: State = new Map();
  for (const [type, ofType] of state) {
    for (const [stateKey, eventId] of ofType) {
      const event = find(eventId);
      if (event !== undefined) flat.set(key(type, stateKey), event);
    }
  }
  return flat;
}

const key = (type: string, stateKey: string | undefined): string => JSON.stringify([type, stateKey]);
const keyOf = (event: RoomEvent): string => key(event.type, event.stateKey);

function allowed(rules: RoomVersionRules, event: RoomEvent, state: State, create: RoomEvent | undefined): boolean {
  return authorise(rules, event, { create, get: (type, stateKey) => state.get(key(type, stateKey)) }).kind === 'allow';
}

// Version 1: https://spec.matrix.org/v1.19/rooms/v1/#state-resolution

function resolveOld(rules: RoomVersionRules, states: readonly State[]): State {
  const candidates = new Map<string, Map<string, RoomEvent>>();
  for (const state of states) {
    for (const [entry, event] of state) {
      candidates.set(entry, (candidates.get(entry) ?? new Map<string, RoomEvent>()).set(event.eventId, event));
    }
  }
  const r: State = new Map();
  for (const [entry, events] of candidates) {
    const [event] = events.values();
    if (events.size === 1 && event !== undefined) {
      r.set(entry, event);
      candidates.delete(entry);
    }
  }
  const passes = [
    (event: RoomEvent) => event.type === 'm.room.power_levels' && event.stateKey === '',
    (event: RoomEvent) => event.type === 'm.room.join_rules',
    (event: RoomEvent) => event.type === 'm.room.member',
  ];
  for (const inPass of passes) {
    const added: State = new Map();
    for (const [entry, events] of candidates) {
      const list = [...events.values()].toSorted(byDepth);
      const [first, ...rest] = list;
      if (first === undefined || !inPass(first)) continue;
      candidates.delete(entry);
      const state = new Map(r).set(entry, first);
      for (const event of rest) {
        if (!allowed(rules, event, state, undefined)) break;
        state.set(entry, event);
      }
      added.set(entry, state.get(entry) ?? first);
    }
    for (const [entry, event] of added) r.set(entry, event);
  }
  const result = new Map(r);
  for (const [entry, events] of candidates) {
    const list = [...events.values()].toSorted(byDepth).toReversed();
    const winner = list.find((event) => allowed(rules, event, r, undefined)) ?? list.at(-1);
    if (winner !== undefined) result.set(entry, winner);
  }
  return result;
}

const sha1 = (event: RoomEvent): string => hash('sha1', event.eventId, 'hex');

function byDepth(a: RoomEvent, b: RoomEvent): number {
  if (a.depth !== b.depth) return a.depth - b.depth;
  return sha1(a) > sha1(b) ? -1 : 1;
}

// Versions 2 and 2.1: https://spec.matrix.org/v1.19/rooms/v12/#state-resolution

function resolveNew(rules: RoomVersionRules, states: readonly State[], find: Find, reading: ChainReading): State {
  const chains = new Map<RoomEvent, Set<RoomEvent>>();
  const authChain = (event: RoomEvent): Set<RoomEvent> => {
    const known = chains.get(event);
    if (known !== undefined) return known;
    const chain = new Set(authEventsOf(event).flatMap((authEvent) => [authEvent, ...authChain(authEvent)]));
    chains.set(event, chain);
    return chain;
  };
  const authEventsOf = (event: RoomEvent): readonly RoomEvent[] =>
    event.authEvents.map(find).filter((authEvent) => authEvent !== undefined);

  const unconflicted: State = new Map();
  const conflictedStateSet = new Set<RoomEvent>();
  for (const entry of new Set(states.flatMap((state) => [...state.keys()]))) {
    const events = new Set(states.map((state) => state.get(entry)));
    const [event] = events;
    if (events.size === 1 && event !== undefined) unconflicted.set(entry, event);
    else for (const other of events) if (other !== undefined) conflictedStateSet.add(other);
  }
  if (conflictedStateSet.size === 0) return unconflicted;

  const own = (event: RoomEvent): readonly RoomEvent[] => (reading === 'as practised' ? [event] : []);
  const fullChains = states.map(
    (state) => new Set([...state.values()].flatMap((event) => [...own(event), ...authChain(event)])),
  );
  const union = new Set(fullChains.flatMap((chain) => [...chain]));
  const difference = [...union].filter((event) => !fullChains.every((chain) => chain.has(event)));
  const full = new Set([...conflictedStateSet, ...difference]);
  const isNewest = rules.stateResolution === 'v2.1';
  if (isNewest) {
    for (const end of conflictedStateSet) {
      for (const event of authChain(end)) {
        if ([...authChain(event)].some((other) => conflictedStateSet.has(other))) full.add(event);
      }
    }
  }

  const create = rules.event.createInAuthEvents
    ? undefined
    : find(`$${[...full].map((event) => event.roomId.slice(1))[0] ?? ''}`);
  const powerLevelsOf = (event: RoomEvent): RoomEvent | undefined =>
    authEventsOf(event).find((authEvent) => keyOf(authEvent) === key('m.room.power_levels', ''));
  const senderPower = (event: RoomEvent): number => {
    const cited = authEventsOf(event).find((authEvent) => authEvent.type === 'm.room.create');
    return userPowerLevel(rules, create ?? cited, powerLevelsOf(event), event.sender);
  };

  const ways = new Map<RoomEvent, Set<RoomEvent>>();
  const leadsTo = (event: RoomEvent): Set<RoomEvent> => {
    if (reading === 'to the letter') return authChain(event);
    const way =
      ways.get(event) ??
      new Set(
        authEventsOf(event)
          .filter((authEvent) => full.has(authEvent))
          .flatMap((authEvent) => [authEvent, ...leadsTo(authEvent)]),
      );
    ways.set(event, way);
    return way;
  };

  // 1.
  const x = new Set([...full].filter(isPower));
  for (const power of [...full].filter(isPower)) for (const event of leadsTo(power)) if (full.has(event)) x.add(event);
  const sorted: RoomEvent[] = [];
  while (sorted.length < x.size) {
    const candidates = [...x].filter(
      (event) =>
        !sorted.includes(event) && [...leadsTo(event)].every((other) => !x.has(other) || sorted.includes(other)),
    );
    const [smallest] = candidates.toSorted(
      (a, b) => byNumber(senderPower(b), senderPower(a)) || byNumber(a.originServerTs, b.originServerTs) || byId(a, b),
    );
    if (smallest === undefined) throw new Error('The auth events of these events go round in a circle');
    sorted.push(smallest);
  }

  // 2.
  const check = (events: readonly RoomEvent[], state: State): State => {
    const result = new Map(state);
    for (const event of events) {
      const accepted = authEventsOf(event).filter((authEvent) => !authEvent.rejected);
      const seen: State = new Map(accepted.map((authEvent) => [keyOf(authEvent), authEvent]));
      for (const [entry, other] of result) seen.set(entry, other);
      if (allowed(rules, event, seen, create)) result.set(keyOf(event), event);
    }
    return result;
  };
  const partial = check(sorted, isNewest ? new Map() : unconflicted);

  // 3.
  const mainline: RoomEvent[] = [];
  for (let p = partial.get(key('m.room.power_levels', '')); p !== undefined; p = powerLevelsOf(p)) mainline.push(p);
  const position = (event: RoomEvent): number => {
    for (let e = powerLevelsOf(event); e !== undefined; e = powerLevelsOf(e)) {
      if (mainline.includes(e)) return mainline.indexOf(e);
    }
    return Infinity;
  };
  const remaining = [...full].filter((event) => !x.has(event));
  const ordered = remaining.toSorted(
    (a, b) => byNumber(position(b), position(a)) || byNumber(a.originServerTs, b.originServerTs) || byId(a, b),
  );

  // 4. and 5.
  const result = check(ordered, partial);
  for (const [entry, event] of unconflicted) result.set(entry, event);
  return result;
}

function isPower(event: RoomEvent): boolean {
  if (event.type === 'm.room.power_levels' || event.type === 'm.room.join_rules') return event.stateKey === '';
  const membership = event.content['membership'];
  return (
    event.type === 'm.room.member' &&
    (membership === 'leave' || membership === 'ban') &&
    event.sender !== event.stateKey
  );
}

/** Not by subtraction, which says nothing of two infinities. */
function byNumber(a: number, b: number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function byId(a: RoomEvent, b: RoomEvent): number {
  // By code points, whose order is that of their bytes in UTF-8.
  return Buffer.compare(Buffer.from(a.eventId), Buffer.from(b.eventId));
}
