import {
  authEventKeys,
  authorise,
  hasRedactionPower,
  isEventIdOf,
  mayRedact,
  type RoomEvent,
  type RoomVersionRules,
} from '@portico/protocol';
import type { Reader } from '@portico/storage';
import type { Redacts } from '@portico/storage/stores/events/pending-redactions.ts';
import { findRedactionTargets, type RedactionTarget } from '@portico/storage/stores/events/redactions.ts';
import type { ReadState, RoomState } from '../read-state.ts';
import type { ReceivedEvent, ReceivingRoom, SoftFailure } from './received-event.ts';

type Room = Pick<ReceivingRoom, 'roomNid' | 'rules'>;

/** What a redaction may redact: something of the same room. */
export type Target = Pick<RedactionTarget, 'room_nid' | 'type' | 'sender'>;

const powerKeys = [
  ['m.room.create', ''],
  ['m.room.power_levels', ''],
] as const;

/** What becomes of a redaction by where its room stands. */
export type PresentVerdict = { readonly refusal: SoftFailure | undefined; readonly hasPower: boolean };

/**
 * Judges redactions by where their room stands now, which is read at once for all, where anybody asks. Besides what a redaction
 * names and follows it has to pass this when it comes, like all that may be "soft failed": or whoever has lost the power, or has
 * been banned, could go on as if it were earlier.
 */
export function judgeNow(
  readState: ReadState,
  { roomNid, rules }: Room,
  events: readonly RoomEvent[],
): (redaction: RoomEvent) => Promise<PresentVerdict> {
  let reading: Promise<RoomState> | undefined;
  return async (redaction) => {
    const keys = events.filter(({ redacts }) => redacts !== undefined).flatMap((each) => authEventKeys(rules, each));
    reading ??= readState(roomNid, [...powerKeys, ...keys]);
    const { state: get } = await reading;
    const present = { get, create: get('m.room.create') };
    const decision = authorise(rules, redaction, present);
    return {
      refusal: decision.kind === 'reject' ? decision : undefined,
      hasPower: hasRedactionPower(rules, present, redaction.sender),
    };
  };
}

export function mayRedactIn({ roomNid }: Room, redaction: RoomEvent, target: Target, hasPower: boolean): boolean {
  return target.room_nid === roomNid && mayRedact(redaction, target, hasPower);
}

/** What a redaction redacts, where that can be an event of such a room at all: others may name whatever they like. */
export function redactedId(rules: RoomVersionRules, { redacts }: Pick<RoomEvent, 'redacts'>): string | undefined {
  return redacts !== undefined && isEventIdOf(rules.event.eventId, redacts) ? redacts : undefined;
}

/** What is kept in mind with a redaction, so that it is applied. */
export function pendingOf(rules: RoomVersionRules, event: RoomEvent, hasPower: boolean): Redacts | undefined {
  const eventId = redactedId(rules, event);
  return eventId === undefined ? undefined : { eventId, hasPower };
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
export type Withheld = SoftFailure & { readonly waitsFor: Redacts | undefined };

/**
 * > While redactions are always accepted by the authorisation rules for events, they should not be sent to clients until both
 * > the redaction event and the event the redaction affects have been received, and can be validated.
 *
 * Clients redact what a redaction names without asking who may: one that may not is never shown. One whose event is not among
 * those that are here waits for that.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions}
 */
export function findWithheld(
  room: Room,
  redaction: RoomEvent,
  here: ReadonlyMap<string, Target>,
  hasPower: boolean,
): Withheld | undefined {
  // "In room versions 1 and 2, redactions were explicitly part of the authorization rules".
  if (room.rules.auth.redaction !== 'none' || redaction.redacts === undefined) return undefined;
  const target = here.get(redactedId(room.rules, redaction) ?? '');
  if (target === undefined) return { ...unknownEvent, waitsFor: pendingOf(room.rules, redaction, hasPower) };
  return mayRedactIn(room, redaction, target, hasPower) ? undefined : notAllowed;
}

/**
 * What is found of a redaction that comes as news, by all that it is judged by: `hasPower` in the past is what its own past
 * gives it. One that is to wait must not fail softly either, as whatever waits for nothing is judged again when it gets its place.
 */
export async function gateNews(
  room: Room,
  { event, hadRedactionPower }: ReceivedEvent,
  hasPowerInPast: boolean,
  here: ReadonlyMap<string, Target>,
  now: (redaction: RoomEvent) => Promise<PresentVerdict>,
): Promise<{ readonly hasPower: boolean; readonly withheld: Withheld | undefined }> {
  if (event.redacts === undefined) return { hasPower: false, withheld: undefined };
  if (hadRedactionPower !== undefined) {
    return { hasPower: hadRedactionPower, withheld: findWithheld(room, event, here, hadRedactionPower) };
  }
  const present = await now(event);
  const hasPower = hasPowerInPast && present.hasPower;
  const withheld = findWithheld(room, event, here, hasPower);
  if (withheld?.waitsFor === undefined || present.refusal === undefined) return { hasPower, withheld };
  return { hasPower, withheld: { ...present.refusal, waitsFor: undefined } };
}

const unknownEvent = { rule: 'redaction.unknown_event', reason: 'the event that it redacts is not here' };
const notAllowed: Withheld = {
  rule: 'redaction.not_allowed',
  reason: 'its sender may not redact that event',
  waitsFor: undefined,
};

/** Whether an event was withheld for what it redacts. */
export const isWaiting = ({ rule }: SoftFailure): boolean => rule === unknownEvent.rule;
