import {
  hasPolicySignature,
  type JsonObject,
  joinPieces,
  maxPduBytes,
  needsPolicySignature,
  parseJson,
  parsePolicyServer,
  type PduPieces,
  type PolicyServer,
  type RoomEvent,
  type ServerName,
  sizeOfPieces,
  splitPdu,
  withPolicySignature,
} from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { isHostJoined } from '@portico/storage/stores/federation/federation-rooms.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { getKnown, type RoomHead } from '../head.ts';
import type { KnownState } from '../known-state.ts';

/** Asks a policy server for its signature of an event. Throws `MatrixError` where it gives none, and why. */
export type AskPolicyServer = (server: ServerName, pdu: JsonObject) => Promise<JsonObject>;

/** The entry of a room's state that names its policy server. */
export const policyKey = ['m.room.policy', ''] as const;

/** Lets the policy server of a room, where it has one, sign events before they become part of it. */
export interface RoomPolicy {
  /** An event with the signature that the room wants of it. Throws `MatrixError` where the policy server does not give it. */
  sign(head: RoomHead, pdu: JsonObject): Promise<JsonObject>;
  /** The same, for an event that is spelled out already. */
  signPieces(head: RoomHead, event: Pick<RoomEvent, 'type' | 'stateKey'>, pieces: PduPieces): Promise<PduPieces>;
}

/** Whether events like this may need a signature. The entry `policyKey` of the head must be known. */
export function mayNeedSignature(head: RoomHead, events: readonly Pick<RoomEvent, 'type' | 'stateKey'>[]): boolean {
  const content = getKnown(head, ...policyKey)?.event.content;
  return content !== undefined && parsePolicyServer(content) !== undefined && events.some(needsPolicySignature);
}

type Dependencies = { readonly db: Reader; readonly known: KnownState; readonly ask: AskPolicyServer };

/** {@link https://spec.matrix.org/v1.19/server-server-api/#policy-servers} */
export function createRoomPolicy({ db, known, ask }: Dependencies): RoomPolicy {
  async function findServer(head: RoomHead): Promise<PolicyServer | undefined> {
    await known.know(head, [policyKey]);
    const content = getKnown(head, ...policyKey)?.event.content;
    const server = content && parsePolicyServer(content);
    // "The server name denoted by the `m.room.policy` state event's `via` has at least one joined user in the room"
    return server !== undefined && (await isHostJoined(db, head.roomNid, server.via)) ? server : undefined;
  }

  async function sign(head: RoomHead, pdu: JsonObject): Promise<JsonObject> {
    const textOf = (field: string) => (typeof pdu[field] === 'string' ? pdu[field] : undefined);
    if (!needsPolicySignature({ type: textOf('type') ?? '', stateKey: textOf('state_key') })) return pdu;
    const server = await findServer(head);
    if (server === undefined || hasPolicySignature(head.rules, pdu, server)) return pdu;
    const signed = withPolicySignature(pdu, await ask(server.via, pdu), server);
    if (signed !== undefined && hasPolicySignature(head.rules, signed, server)) return signed;
    throw new MatrixError('policy.not-signed');
  }

  return {
    sign,
    async signPieces(head, event, pieces) {
      if (!needsPolicySignature(event)) return pieces;
      await known.know(head, [policyKey]);
      if (!mayNeedSignature(head, [event])) return pieces;
      const pdu = parseJson(joinPieces(pieces), head.rules.canonicalJson) as JsonObject;
      const signed = await sign(head, pdu);
      if (signed === pdu) return pieces;
      const split = splitPdu(signed, head.rules.canonicalJson);
      if (sizeOfPieces(split) > maxPduBytes) throw new MatrixError('request.too-large');
      return split;
    },
  };
}
