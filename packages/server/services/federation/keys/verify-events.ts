import {
  maxKeyValidityMs,
  type Pdu,
  policyKeyId,
  type RoomVersionRules,
  type SignatureCheck,
  signatureChecks,
  signaturesOf,
  signaturesRequired,
} from '@portico/protocol';
import { isKeyId } from '../signing/key-id.ts';
import { verifySignature } from '../signing/verify.ts';
import { findValidKey } from './known-keys.ts';
import type { ServerKeys } from './server-keys.ts';
import { addWanted } from './wanted-keys.ts';

export type EventToVerify = { readonly rules: RoomVersionRules; readonly pdu: Pdu };

export type Verdict =
  | { readonly kind: 'ok' }
  | {
      readonly kind: 'refused';
      readonly rule: 'signatures.authorising_user' | 'signatures.missing' | 'signatures.no_key' | 'signatures.wrong';
      readonly reason: string;
    };

export type VerifyEvents = (events: readonly EventToVerify[]) => Promise<readonly Verdict[]>;

const ok: Verdict = { kind: 'ok' };

/** Signatures that are in the thread pool at once: it also looks up names and hashes passwords. */
const mostAtOnce = 32;

type Plan = { readonly event: EventToVerify; readonly servers: readonly string[] };

function plan(event: EventToVerify): Plan | Verdict {
  const required = signaturesRequired(event.rules, event.pdu);
  if (required.kind !== 'ok') return { kind: 'refused', rule: required.rule, reason: required.reason };
  return { event, servers: required.servers };
}

/** Until when a key must be valid to count for the event; no key counts for one of the far future. */
function validUntil({ rules, pdu }: EventToVerify, now: number): number {
  const at = pdu.origin_server_ts;
  return rules.enforceKeyValidity && at <= now + maxKeyValidityMs ? at : 0;
}

/**
 * Verifies the signatures that events need, off the event loop, with the keys of all of them fetched together.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events}
 */
export function createVerifyEvents(keys: ServerKeys, now: () => number): VerifyEvents {
  let free = mostAtOnce;
  const queue: (() => void)[] = [];

  async function verify(check: SignatureCheck): Promise<boolean> {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => queue.push(resolve));
    try {
      return await verifySignature(check);
    } finally {
      const next = queue.shift();
      if (next === undefined) free++;
      else next();
    }
  }

  return async (events) => {
    const plans = events.map(plan);
    const at = now();
    const wanted = new Map<string, Map<string, number>>();
    for (const planned of plans) {
      if ('kind' in planned) continue;
      for (const server of planned.servers) {
        for (const keyId of signaturesOf(planned.event.pdu, server).keys()) {
          // That of a policy server is in the room's state, and published nowhere.
          if (isKeyId(keyId) && keyId !== policyKeyId) addWanted(wanted, server, keyId, validUntil(planned.event, at));
        }
      }
    }
    const rings = await keys.find(wanted);

    async function judge({ event: { rules, pdu }, servers }: Plan): Promise<Verdict> {
      for (const server of servers) {
        const ring = rings.get(server);
        const checks = signatureChecks(rules, pdu, server, (keyId) =>
          findValidKey(ring, keyId, rules, pdu.origin_server_ts, at),
        );
        if (checks.length === 0) {
          const isSigned = signaturesOf(pdu, server).size > 0;
          return isSigned
            ? { kind: 'refused', rule: 'signatures.no_key', reason: `No key of ${server} counts for the signature` }
            : { kind: 'refused', rule: 'signatures.missing', reason: `${server} has not signed` };
        }
        // "If all signatures from known unexpired keys from the originating server(s) are found to be valid"
        const verdicts = await Promise.all(checks.map(verify));
        if (!verdicts.every(Boolean)) {
          return { kind: 'refused', rule: 'signatures.wrong', reason: `A signature of ${server} is wrong` };
        }
      }
      return ok;
    }
    return Promise.all(plans.map(async (planned) => ('kind' in planned ? planned : judge(planned))));
  };
}
