import {
  isEventIdOf,
  namedPowerLevel,
  type RoomEvent,
  type RoomVersionRules,
  serverNameOf,
  userPowerLevel,
} from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findRedactionTargets, type RedactionTarget } from '@portico/storage/stores/events/redactions.ts';
import type { ReadState, RoomState } from '../read-state.ts';
import type { ReceivingRoom, SoftFailure } from './received-event.ts';

type Room = Pick<ReceivingRoom, 'roomNid' | 'rules'>;
type Target = Pick<RedactionTarget, 'room_nid' | 'type' | 'sender'>;

export const powerKeys = [
  ['m.room.create', ''],
  ['m.room.power_levels', ''],
] as const;

/** Whether somebody may redact what people of other servers have sent. */
export type MayRedactOthers = (redaction: RoomEvent) => boolean | Promise<boolean>;

export function hasPowerToRedact(
  rules: RoomVersionRules,
  state: (type: string) => RoomEvent | undefined,
  { sender }: RoomEvent,
): boolean {
  const powerLevels = state('m.room.power_levels');
  const power = userPowerLevel(rules, state('m.room.create'), powerLevels, sender);
  return power >= namedPowerLevel(rules, powerLevels, 'redact');
}

/** By where the room stands now, which is read once, where anybody asks. */
export function powerNow(readState: ReadState, { roomNid, rules }: Room): MayRedactOthers {
  let reading: Promise<RoomState> | undefined;
  return async (redaction) => {
    reading ??= readState(roomNid, powerKeys);
    return hasPowerToRedact(rules, (await reading).state, redaction);
  };
}

/**
 * > The power level of the redaction event's sender is greater than or equal to the redact level […] The domain of the
 * > redaction event's sender matches that of the original event's sender.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions}
 */
export async function mayRedact(
  { roomNid }: Room,
  redaction: RoomEvent,
  target: Target,
  mayRedactOthers: MayRedactOthers,
): Promise<boolean> {
  if (target.room_nid !== roomNid || target.type === 'm.room.create') return false;
  return serverNameOf(redaction.sender) === serverNameOf(target.sender) || mayRedactOthers(redaction);
}

/** What a redaction redacts, where that can be an event of such a room at all: others may name whatever they like. */
export function redactedId(rules: RoomVersionRules, { redacts }: Pick<RoomEvent, 'redacts'>): string | undefined {
  return redacts !== undefined && isEventIdOf(rules.event.eventId, redacts) ? redacts : undefined;
}

/** What some redactions redact, as far as it is here, by its ID. */
export async function readTargets(
  db: Reader,
  rules: RoomVersionRules,
  redactions: readonly Pick<RoomEvent, 'redacts'>[],
): Promise<ReadonlyMap<string, RedactionTarget>> {
  const ids = new Set(redactions.map((each) => redactedId(rules, each)).filter((id) => id !== undefined));
  if (ids.size === 0) return new Map();
  return new Map((await findRedactionTargets(db, [...ids])).map((target) => [target.event_id, target]));
}

/** Why a redaction is kept from clients, and what it waits for. */
export type Withheld = SoftFailure & { readonly target: string | undefined };

type Grounds = {
  readonly mayRedactOthers: MayRedactOthers;
  /** What comes with the redactions, and is not stored yet. */
  readonly alongside?: ReadonlyMap<string, Target>;
};

/**
 * > While redactions are always accepted by the authorisation rules for events, they should not be sent to clients until both
 * > the redaction event and the event the redaction affects have been received, and can be validated.
 *
 * Clients redact what a redaction names without asking who may: one that may not is never shown. One whose event is not here
 * waits for that. The redactions among some events that are to be withheld, by their IDs.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions}
 */
export async function findWithheld(
  db: Reader,
  room: Room,
  events: readonly RoomEvent[],
  { mayRedactOthers, alongside = new Map() }: Grounds,
): Promise<ReadonlyMap<string, Withheld>> {
  const withheld = new Map<string, Withheld>();
  // "In room versions 1 and 2, redactions were explicitly part of the authorization rules".
  if (room.rules.auth.redaction !== 'none') return withheld;
  const redactions = events.filter(({ redacts }) => redacts !== undefined);
  const targets = await readTargets(db, room.rules, redactions);
  for (const redaction of redactions) {
    const target = redactedId(room.rules, redaction);
    const found = target === undefined ? undefined : (alongside.get(target) ?? targets.get(target));
    if (found === undefined) withheld.set(redaction.eventId, { ...unknownEvent, target });
    else if (!(await mayRedact(room, redaction, found, mayRedactOthers))) withheld.set(redaction.eventId, notAllowed);
  }
  return withheld;
}

const unknownEvent = { rule: 'redaction.unknown_event', reason: 'the event that it redacts is not here' };
const notAllowed: Withheld = {
  rule: 'redaction.not_allowed',
  reason: 'its sender may not redact that event',
  target: undefined,
};

/** Whether an event was withheld for what it redacts. */
export const isWaiting = ({ rule }: SoftFailure): boolean => rule === unknownEvent.rule;
