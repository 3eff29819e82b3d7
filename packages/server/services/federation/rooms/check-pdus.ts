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
import { createPacer } from '../../pacer.ts';
import type { Verdict, VerifyEvents } from '../keys/verify-events.ts';

export type CheckedPdu = ReceivedEvent & { readonly kind: 'ok'; readonly pdu: Pdu };
export type RefusedPdu = {
  readonly kind: 'refused';
  readonly eventId: string | undefined;
  readonly reason: string;
  /** Whether it is no JSON as rooms of its version have it, rather than another event than it should be. */
  readonly isBadJson: boolean;
};

/** Events whose keys are looked for together. */
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
  const pace = createPacer();

  return async (rules, values) => {
    const results: (CheckedPdu | RefusedPdu)[] = [];
    for (let start = 0; start < values.length; start += perTurn) {
      results.push(...(await checkSome(rules, values.slice(start, start + perTurn))));
    }
    return results;
  };

  async function checkSome(
    rules: RoomVersionRules,
    values: readonly JsonValue[],
  ): Promise<readonly (CheckedPdu | RefusedPdu)[]> {
    const parsed: Parsed[] = [];
    for (const value of values) {
      parsed.push(parsePdu(rules, value));
      await pace();
    }
    const well = parsed.filter((each) => each.kind === 'ok');
    const verdicts = await verifyEvents(well.map(({ pdu }) => ({ rules, pdu })));
    const verdictOf = new Map<Parsed, Verdict | undefined>(well.map((each, index) => [each, verdicts[index]]));
    const results: (CheckedPdu | RefusedPdu)[] = [];
    for (const each of parsed) {
      results.push(resultOf(rules, each, verdictOf.get(each)));
      await pace();
    }
    return results;
  }
}

type Parsed = ReturnType<typeof parsePdu>;

function resultOf(rules: RoomVersionRules, parsed: Parsed, verdict: Verdict | undefined): CheckedPdu | RefusedPdu {
  if (parsed.kind === 'reject') {
    return { kind: 'refused', eventId: undefined, reason: parsed.reason, isBadJson: parsed.rule === 'pdu.json' };
  }
  const { eventId } = parsed;
  if (verdict?.kind !== 'ok') {
    return { kind: 'refused', eventId, reason: verdict?.reason ?? 'Not verified', isBadJson: false };
  }
  const isWhole = checkHash(rules, parsed.pdu);
  const pdu = isWhole ? parsed.pdu : (redactPdu(rules, parsed.pdu) as Pdu);
  const pieces = isWhole ? parsed.pieces : splitPdu(pdu, rules.canonicalJson);
  return { kind: 'ok', pdu, pieces, event: toRoomEvent(rules, pdu, eventId, { rejected: false }) };
}
