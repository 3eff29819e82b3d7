import { namedPowerLevel, type RoomEvent, serverNameOf, userPowerLevel } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findRedactionTarget, type RedactionTarget } from '@portico/storage/stores/events/redactions.ts';
import type { ReadState } from '../read-state.ts';
import type { SoftFailure } from './place.ts';
import type { ReceivingRoom } from './received-event.ts';

/**
 * > The power level of the redaction event's sender is greater than or equal to the redact level […] The domain of the
 * > redaction event's sender matches that of the original event's sender.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions}
 */
export async function mayRedact(
  readState: ReadState,
  { roomNid, rules }: Pick<ReceivingRoom, 'roomNid' | 'rules'>,
  redaction: RoomEvent,
  target: RedactionTarget,
): Promise<boolean> {
  if (target.room_nid !== roomNid || target.type === 'm.room.create') return false;
  if (serverNameOf(redaction.sender) === serverNameOf(target.sender)) return true;
  const { state } = await readState(roomNid, [
    ['m.room.create', ''],
    ['m.room.power_levels', ''],
  ]);
  const powerLevels = state('m.room.power_levels');
  const power = userPowerLevel(rules, state('m.room.create'), powerLevels, redaction.sender);
  return power >= namedPowerLevel(rules, powerLevels, 'redact');
}

/** Why a redaction is kept from clients, and what it waits for. */
export type Withheld = SoftFailure & { readonly target: string | undefined };

export type FindWithheld = (room: ReceivingRoom, event: RoomEvent) => Promise<Withheld | undefined>;

/**
 * > While redactions are always accepted by the authorisation rules for events, they should not be sent to clients until both
 * > the redaction event and the event the redaction affects have been received, and can be validated.
 *
 * Clients redact what a redaction names without asking who may: one that may not is never shown. One whose event is not here
 * waits for that.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions}
 */
export function createFindWithheld(db: Reader, readState: ReadState): FindWithheld {
  return async (room, event) => {
    // "In room versions 1 and 2, redactions were explicitly part of the authorization rules".
    if (event.redacts === undefined || room.rules.auth.redaction !== 'none') return undefined;
    const target = await findRedactionTarget(db, event.redacts);
    if (target === undefined) {
      return {
        rule: 'redaction.unknown_event',
        reason: 'the event that it redacts is not here',
        target: event.redacts,
      };
    }
    if (await mayRedact(readState, room, event, target)) return undefined;
    return { rule: 'redaction.not_allowed', reason: 'its sender may not redact that event', target: undefined };
  };
}
