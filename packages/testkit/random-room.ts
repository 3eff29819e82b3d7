import { hash } from 'node:crypto';
import {
  authEventKeys,
  authorise,
  getEntry,
  setEntry,
  stateMapOf,
  entriesOf,
  type JsonObject,
  type RoomEvent,
  type RoomVersionRules,
  type StateMap,
} from '@portico/protocol';
import * as fc from 'fast-check';

/** How to resolve the states of a room, which the room is built with: both sides of a comparison build the same rooms. */
export type Resolve = (
  rules: RoomVersionRules,
  states: readonly StateMap[],
  event: (eventId: string) => RoomEvent | undefined,
) => StateMap;

export type RandomRoom = {
  readonly rules: RoomVersionRules;
  /** Accepted events, each after those it is based on. */
  readonly events: ReadonlyMap<string, RoomEvent>;
  readonly stateAfter: ReadonlyMap<string, StateMap>;
  /** Everything that was tried, with the state before it: most of it is among the events, the rest that state did not allow. */
  readonly attempts: readonly { readonly event: RoomEvent; readonly before: StateMap }[];
};

/** One thing that somebody tries to do. Most attempts are allowed, and those that are not only leave the room as it was. */
export type Step = {
  readonly actor: number;
  readonly target: number;
  readonly action: (typeof actions)[number];
  readonly level: number;
  /** How many events back the events lie that this one follows, one of which may fork the room, several of which merge it. */
  readonly follows: readonly number[];
  /** How far the sender's clock is off. */
  readonly skew: number;
};

const users = ['@alice:a.example', '@bob:b.example', '@carol:c.example', '@dave:d.example', '@erin:a.example'] as const;
const levels = [0, 25, 50, 75, 100] as const;
const joinRules = ['public', 'invite', 'knock', 'restricted', 'knock_restricted'] as const;
const actions = [
  'join',
  'join',
  'join authorised',
  'leave',
  'invite',
  'kick',
  'ban',
  'ban',
  'knock',
  'power',
  'power',
  'levels',
  'join rule',
  'name',
  'topic',
  'own state',
  'message',
] as const;

/** How steps fork their room. */
export type Forks = {
  /** How far back events lie that others follow. */
  readonly reach?: number;
  /** How many events one follows. */
  readonly mostFollowed?: number;
  readonly minLength?: number;
};

export function steps(
  maxLength: number,
  { reach = 6, mostFollowed = 3, minLength = 1 }: Forks = {},
): fc.Arbitrary<readonly Step[]> {
  const step = fc.record({
    actor: fc.nat({ max: users.length - 1 }),
    target: fc.nat({ max: users.length - 1 }),
    action: fc.constantFrom(...actions),
    level: fc.nat({ max: levels.length - 1 }),
    follows: fc.array(fc.nat({ max: reach }), { minLength: 1, maxLength: mostFollowed }),
    skew: fc.integer({ min: -3, max: 3 }),
  });
  return fc.array(step, { minLength, maxLength, size: 'max' });
}

export type RoomOptions = {
  /** Makes another room, of the same events, for a place where one of this plan is already. */
  readonly name?: string;
  /** How many of the six events that open a room all others come after. */
  readonly trunk?: number;
};

export function buildRoom(
  rules: RoomVersionRules,
  plan: readonly Step[],
  resolve: Resolve,
  { name = '', trunk = 4 }: RoomOptions = {},
): RandomRoom {
  const events = new Map<string, RoomEvent>();
  const stateAfter = new Map<string, StateMap>();
  const attempts: { event: RoomEvent; before: StateMap }[] = [];
  const find = (eventId: string): RoomEvent | undefined => events.get(eventId);
  const order: RoomEvent[] = [];

  const attempt = (draft: Draft, prevEvents: readonly string[], skew: number): void => {
    const before = stateBefore(
      prevEvents.map((eventId) => stateAfter.get(eventId) ?? new Map()),
      resolve,
      rules,
      find,
    );
    const event = complete(rules, draft, prevEvents, before, order, skew, name);
    const decision = authorise(rules, event, {
      create: order[0],
      get: (type, stateKey) => events.get(getEntry(before, type, stateKey) ?? ''),
    });
    attempts.push({ event, before });
    if (decision.kind === 'reject') return;
    events.set(event.eventId, event);
    order.push(event);
    stateAfter.set(event.eventId, after(before, event));
  };

  for (const draft of opening(rules))
    attempt(
      draft,
      order.slice(-1).map(({ eventId }) => eventId),
      0,
    );
  for (const step of plan) {
    const followed = step.follows.map((back) => order[Math.max(trunk - 1, order.length - 1 - back)]?.eventId);
    const prevEvents = [...new Set(followed.filter((eventId) => eventId !== undefined))];
    attempt(draftOf(rules, step, stateAfter.get(prevEvents[0] ?? ''), find), prevEvents, step.skew);
  }
  return { rules, events, stateAfter, attempts };
}

function stateBefore(
  states: readonly StateMap[],
  resolve: Resolve,
  rules: RoomVersionRules,
  find: (eventId: string) => RoomEvent | undefined,
): StateMap {
  const [only] = states;
  if (states.length <= 1) return only ?? new Map();
  return resolve(rules, states, find);
}

function after(before: StateMap, event: RoomEvent): StateMap {
  if (event.stateKey === undefined) return before;
  const state = stateMapOf(entriesOf(before));
  setEntry(state, event.type, event.stateKey, event.eventId);
  return state;
}

type Draft = Pick<RoomEvent, 'type' | 'sender' | 'stateKey' | 'content'>;

function opening(rules: RoomVersionRules): readonly Draft[] {
  const [alice, bob, carol, , erin] = users;
  const level = levelFor(rules);
  const powers = {
    ...(rules.auth.privilegedCreators ? {} : { [alice]: level(100) }),
    [bob]: level(50),
    [carol]: level(50),
  };
  return [
    {
      type: 'm.room.create',
      sender: alice,
      stateKey: '',
      content: { creator: alice, room_version: rules.version, additional_creators: [erin] },
    },
    membership(alice, alice, 'join'),
    { type: 'm.room.power_levels', sender: alice, stateKey: '', content: { users: powers, invite: level(25) } },
    { type: 'm.room.join_rules', sender: alice, stateKey: '', content: { join_rule: 'public' } },
    membership(bob, bob, 'join'),
    membership(carol, carol, 'join'),
  ];
}

/** Some levels are strings, where the version has them. */
function levelFor(rules: RoomVersionRules): (level: number) => number | string {
  return (level) => (rules.auth.integerPowerLevels || level % 50 === 0 ? level : ` +0${level} `);
}

function membership(sender: string, target: string, kind: string, more: JsonObject = {}): Draft {
  return { type: 'm.room.member', sender, stateKey: target, content: { membership: kind, ...more } };
}

function draftOf(
  rules: RoomVersionRules,
  step: Step,
  state: StateMap | undefined,
  find: (eventId: string) => RoomEvent | undefined,
): Draft {
  const sender = users[step.actor] ?? users[0];
  const target = users[step.target] ?? users[0];
  const level = levelFor(rules)(levels[step.level] ?? 0);
  const current = (type: string): JsonObject => find((state && getEntry(state, type, '')) ?? '')?.content ?? {};
  const power = current('m.room.power_levels');
  const powerUsers = (power['users'] ?? {}) as JsonObject;
  const setState = (type: string, content: JsonObject, stateKey = ''): Draft => ({ type, sender, stateKey, content });
  switch (step.action) {
    case 'join':
      return membership(sender, sender, 'join');
    case 'join authorised':
      return membership(sender, sender, 'join', { join_authorised_via_users_server: target });
    case 'leave':
      return membership(sender, sender, 'leave');
    case 'knock':
      return membership(sender, sender, 'knock');
    case 'invite':
      return membership(sender, target, 'invite');
    case 'kick':
      return membership(sender, target, 'leave');
    case 'ban':
      return membership(sender, target, 'ban');
    case 'power':
      return setState('m.room.power_levels', { ...power, users: { ...powerUsers, [target]: level } });
    case 'levels':
      return setState('m.room.power_levels', { ...power, [step.target % 2 === 0 ? 'state_default' : 'ban']: level });
    case 'join rule':
      return setState('m.room.join_rules', { join_rule: joinRules[step.level] ?? 'public' });
    case 'name':
    case 'topic':
      return setState(`m.room.${step.action}`, { [step.action]: `${step.level} by ${sender}` });
    case 'own state':
      return setState('org.example.own', { level }, sender);
    case 'message':
      return { type: 'm.room.message', sender, stateKey: undefined, content: { body: `${step.level}` } };
    default:
      return step.action satisfies never;
  }
}

function complete(
  rules: RoomVersionRules,
  draft: Draft,
  prevEvents: readonly string[],
  before: StateMap,
  order: readonly RoomEvent[],
  skew: number,
  name: string,
): RoomEvent {
  const authEvents = authEventKeys(rules, draft)
    .map(([type, stateKey]) => getEntry(before, type, stateKey))
    .filter((eventId) => eventId !== undefined);
  const depths = order.filter(({ eventId }) => prevEvents.includes(eventId)).map(({ depth }) => depth);
  const fields = {
    ...draft,
    originServerTs: 1_700_000_000_000 + order.length + skew,
    depth: Math.max(0, ...depths) + 1,
    prevEvents,
    authEvents,
    redacts: undefined,
    rejected: false,
  };
  const eventId = eventIdFor(rules, JSON.stringify([fields, order.length]) + name, draft.sender);
  const createId = order[0]?.eventId ?? eventId;
  const roomId = rules.event.roomId === 'create-event' ? `!${createId.slice(1)}` : `!room${name}:a.example`;
  return { eventId, roomId, ...fields };
}

function eventIdFor(rules: RoomVersionRules, text: string, sender: string): string {
  const digest = hash('sha256', text, 'base64url');
  if (rules.event.eventId !== 'explicit') return `$${digest}`;
  return `$${digest.slice(0, 18)}:${sender.slice(sender.indexOf(':') + 1)}`;
}
