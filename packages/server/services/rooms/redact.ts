import {
  hasRedactionPower,
  maxFieldBytes,
  parseJson,
  type JsonObject,
  redactPdu,
  type RoomVersionRules,
  splitPdu,
} from '@portico/protocol';
import type { Reader, WriteSet } from '@portico/storage';
import { addPendingRedaction } from '@portico/storage/stores/events/pending-redactions.ts';
import { announceSummary } from '@portico/storage/stores/directory/room-summaries.ts';
import { findRedactionTarget, redactEvent, type RedactionTarget } from '@portico/storage/stores/events/redactions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import type { Draft } from './draft.ts';
import type { Plan, RoomView } from './room-writer.ts';

/** How long what a redaction took away is kept for this server's moderators. */
const originalsKeptFor = 7 * 24 * 60 * 60 * 1000;

export type RedactRequest = {
  /** Of the redaction, without what it redacts. */
  readonly content: JsonObject;
  readonly originServerTs?: number | undefined;
  /** For how long the redaction is to be sticky. Milliseconds. */
  readonly stickyMs?: number | undefined;
  readonly transaction?: { readonly deviceId: string; readonly txnId: string };
  /** Added to the same commit. */
  readonly alongside?: (set: WriteSet) => void;
};

type Dependencies = { readonly now: () => number; readonly unread: Pick<UnreadService, 'appendRedaction'> };

/** What a redaction names, and the event itself where it is here. */
type Named = { readonly eventId: string; readonly target: RedactionTarget | undefined };

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
export function planRedaction(sender: string, named: Named, request: RedactRequest, dependencies: Dependencies): Plan {
  return planChosen(sender, request, dependencies, (view) => {
    const refusal = refusalOf(view, sender, named.target);
    if (refusal !== undefined) throw refusal;
    return [named];
  });
}

/** Redacts those of some events that one may. */
export function planRedactions(
  sender: string,
  targets: readonly RedactionTarget[],
  request: RedactRequest,
  dependencies: Dependencies,
): Plan {
  return planChosen(sender, request, dependencies, (view) =>
    targets
      .filter((target) => target.redacted_by === null && refusalOf(view, sender, target) === undefined)
      .map((target) => ({ eventId: target.event_id, target })),
  );
}

function planChosen(
  sender: string,
  { content: given, originServerTs, stickyMs, transaction, alongside }: RedactRequest,
  { now, unread }: Dependencies,
  choose: (view: RoomView) => readonly Named[],
): Plan {
  let rules: RoomVersionRules | undefined;
  let chosen: readonly Named[] = [];
  return {
    needs: [
      ['m.room.create', ''],
      ['m.room.power_levels', ''],
    ],
    drafts(view) {
      ({ rules } = view.head);
      const inContent = rules.event.redacts === 'content';
      chosen = choose(view);
      return chosen.map(({ eventId: redacts }): Draft => {
        const content: JsonObject = inContent ? { ...given, redacts } : given;
        return {
          type: 'm.room.redaction',
          stateKey: undefined,
          sender,
          content,
          redacts,
          ...(transaction && { transaction }),
          ...(originServerTs !== undefined && { originServerTs }),
          ...(stickyMs !== undefined && { stickyMs }),
        };
      });
    },
    alongside(set, { roomNid, events }) {
      alongside?.(set);
      for (const [index, { eventId, target }] of chosen.entries()) {
        const redaction = events[index];
        if (rules === undefined || redaction === undefined) continue;
        if (target === undefined) {
          // Nobody without the power is let to name what is not here.
          addPendingRedaction(set, { eventId, hasPower: true }, { eventNid: redaction.eventNid, roomNid });
          continue;
        }
        applyRedaction(set, rules, target, redaction.eventNid, now());
        unread.appendRedaction(set, target.event_nid);
      }
    },
  };
}

/** Why somebody may not redact an event; `undefined` if they may. */
function refusalOf(
  { head, state }: RoomView,
  sender: string,
  target: RedactionTarget | undefined,
): MatrixError | undefined {
  if (target?.type === 'm.room.create') return forbidden('The create event of a room cannot be redacted.');
  if (target?.type === 'm.room.server_acl') return forbidden('Server ACLs cannot be redacted; send new ones instead.');
  if (target?.sender === sender) return undefined;
  const create = state('m.room.create', '')?.event;
  if (create === undefined) throw new Error(`room ${head.roomId} has no create event`);
  const get = (type: string, stateKey: string) => state(type, stateKey)?.event;
  if (hasRedactionPower(head.rules, { get, create }, sender)) return undefined;
  // Whether it is theirs cannot be told.
  if (target === undefined) return new MatrixError('event.not-found');
  return forbidden("You do not have the power to redact other people's events in this room.");
}

function forbidden(message: string): MatrixError {
  return new MatrixError('forbidden', { message });
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
  if (target.state_key !== null) set.change('redacted-state', target.room_nid);
  const pdu = parseJson(target.before_content + target.content + target.after_content, 'lenient') as JsonObject;
  redactEvent(
    set,
    target.event_nid,
    { redactionNid, deleteOriginalAfter: now + originalsKeptFor },
    splitPdu(redactPdu(rules, pdu), rules.canonicalJson),
  );
}
