import {
  maxFieldBytes,
  namedPowerLevel,
  parseJson,
  type JsonObject,
  redactPdu,
  type RoomVersionRules,
  splitPdu,
  userPowerLevel,
} from '@portico/protocol';
import type { Reader, WriteSet } from '@portico/storage';
import { addPendingRedaction } from '@portico/storage/stores/pending-redactions.ts';
import { announceSummary } from '@portico/storage/stores/room-summaries.ts';
import { findRedactionTarget, redactEvent, type RedactionTarget } from '@portico/storage/stores/redactions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import type { Plan, RoomView } from './room-writer.ts';

/** How long what a redaction took away is kept for this server's moderators. */
const originalsKeptFor = 7 * 24 * 60 * 60 * 1000;

export type RedactRequest = {
  readonly eventId: string;
  readonly reason: string | undefined;
  readonly transaction: { readonly deviceId: string; readonly txnId: string };
};

/**
 * Reads what a redaction is to redact; `undefined` if there is no such event here. Throws `event.not-found` for what is no
 * event of the room.
 */
export async function readRedactionTarget(
  reader: Reader,
  roomNid: number,
  eventId: string,
): Promise<RedactionTarget | undefined> {
  const target = await findRedactionTarget(reader, eventId);
  const isEventId = eventId.startsWith('$') && Buffer.byteLength(eventId) <= maxFieldBytes;
  if (target === undefined ? !isEventId : target.room_nid !== roomNid) throw new MatrixError('event.not-found');
  return target;
}

/**
 * Redacts an event of one's own, or anyone's with the power to; also one that is not here yet, which is redacted once it comes.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#redactions}
 */
export function planRedaction(
  sender: string,
  target: RedactionTarget | undefined,
  { eventId, reason, transaction }: RedactRequest,
  { now, unread }: { readonly now: () => number; readonly unread: Pick<UnreadService, 'appendRedaction'> },
): Plan {
  let rules: RoomVersionRules | undefined;
  return {
    needs: [
      ['m.room.create', ''],
      ['m.room.power_levels', ''],
    ],
    drafts(view) {
      refuseUnlessAllowed(view, sender, target);
      ({ rules } = view.head);
      const inContent = rules.event.redacts === 'content';
      const content: JsonObject = {
        ...(reason === undefined ? {} : { reason }),
        ...(inContent ? { redacts: eventId } : {}),
      };
      const type = 'm.room.redaction';
      return [{ type, stateKey: undefined, sender, content, redacts: eventId, transaction }];
    },
    alongside(set, { roomNid, events }) {
      const [redaction] = events;
      if (rules === undefined || redaction === undefined) return;
      if (target === undefined) {
        addPendingRedaction(set, eventId, redaction.eventNid, roomNid);
        return;
      }
      applyRedaction(set, rules, target, redaction.eventNid, now());
      unread.appendRedaction(set, target.event_nid);
    },
  };
}

function refuseUnlessAllowed({ head, state }: RoomView, sender: string, target: RedactionTarget | undefined): void {
  if (target?.type === 'm.room.create') refuse('The create event of a room cannot be redacted.');
  if (target?.type === 'm.room.server_acl') refuse('Server ACLs cannot be redacted; send new ones instead.');
  if (target?.sender === sender) return;
  const create = state('m.room.create', '')?.event;
  const powerLevels = state('m.room.power_levels', '')?.event;
  if (create === undefined) throw new Error(`room ${head.roomId} has no create event`);
  const power = userPowerLevel(head.rules, create, powerLevels, sender);
  if (power < namedPowerLevel(head.rules, powerLevels, 'redact')) {
    // Whether it is theirs cannot be told.
    if (target === undefined) throw new MatrixError('event.not-found');
    refuse("You do not have the power to redact other people's events in this room.");
  }
}

function refuse(message: string): never {
  throw new MatrixError('forbidden', { message });
}

/** Overwrites a stored event with what the room version's redaction leaves of it. */
export function applyRedaction(
  set: WriteSet,
  rules: RoomVersionRules,
  target: RedactionTarget,
  redactionNid: number,
  now: number,
): void {
  if (target.redacted_by !== null) return;
  announceSummary(set, target.room_nid, target.type);
  const pdu = parseJson(target.before_content + target.content + target.after_content, 'lenient') as JsonObject;
  redactEvent(
    set,
    target.event_nid,
    { redactionNid, deleteOriginalAfter: now + originalsKeptFor },
    splitPdu(redactPdu(rules, pdu), rules.canonicalJson),
  );
}
