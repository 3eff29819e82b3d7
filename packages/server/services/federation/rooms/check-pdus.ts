import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  checkHash,
  type JsonValue,
  parsePdu,
  type Pdu,
  redactPdu,
  type RoomVersionRules,
  splitPdu,
  toRoomEvent,
} from '@portico/protocol';
import type { ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import type { VerifyEvents } from '../keys/verify-events.ts';

export type CheckedPdu = ReceivedEvent & { readonly kind: 'ok'; readonly pdu: Pdu };
export type RefusedPdu = { readonly kind: 'refused'; readonly eventId: string | undefined; readonly reason: string };

/** Events that are looked at before others get their turn. */
const perTurn = 50;

export type CheckPdus = (
  rules: RoomVersionRules,
  values: readonly JsonValue[],
) => Promise<readonly (CheckedPdu | RefusedPdu)[]>;

/**
 * The one gate for events of other servers, by whichever way they come: checks 1 to 3 on receipt of a PDU. An event whose
 * content is not what was hashed goes on in its redacted form.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu}
 */
export function createCheckPdus(verifyEvents: VerifyEvents): CheckPdus {
  return async (rules, values) => {
    const results: (CheckedPdu | RefusedPdu)[] = [];
    for (let start = 0; start < values.length; start += perTurn) {
      if (start > 0) await nextTurn();
      results.push(...(await checkSome(rules, values.slice(start, start + perTurn))));
    }
    return results;
  };

  async function checkSome(
    rules: RoomVersionRules,
    values: readonly JsonValue[],
  ): Promise<readonly (CheckedPdu | RefusedPdu)[]> {
    const parsed = values.map((value) => parsePdu(rules, value));
    const well = parsed.filter((each) => each.kind === 'ok');
    const verdicts = await verifyEvents(well.map(({ pdu }) => ({ rules, pdu })));
    const verdictOf = new Map(well.map((each, index) => [each, verdicts[index]]));
    return parsed.map((each): CheckedPdu | RefusedPdu => {
      if (each.kind === 'reject') return { kind: 'refused', eventId: undefined, reason: each.reason };
      const { eventId } = each;
      const verdict = verdictOf.get(each);
      if (verdict?.kind !== 'ok') return { kind: 'refused', eventId, reason: verdict?.reason ?? 'Not verified' };
      const isWhole = checkHash(rules, each.pdu);
      const pdu = isWhole ? each.pdu : (redactPdu(rules, each.pdu) as Pdu);
      const pieces = isWhole ? each.pieces : splitPdu(pdu, rules.canonicalJson);
      return { kind: 'ok', pdu, pieces, event: toRoomEvent(rules, pdu, eventId, { rejected: false }) };
    });
  }
}
