import { decodeBase64 } from '../crypto/base64.ts';
import { parseVerifyKey, type VerifyKey } from '../crypto/ed25519.ts';
import { signaturesOf, withSignature } from '../crypto/sign-json.ts';
import { parseServerName, type ServerName } from '../ids/server-name.ts';
import { isJsonObject, type JsonObject } from '../json/value.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import { isSignedBy, signatureChecks } from './event-signatures.ts';

/** "The Key ID for the `ed25519` key in `m.room.policy` is *always* `ed25519:policy_server`." */
export const policyKeyId = 'ed25519:policy_server';

/** Who checks the events of a room before they are sent, and the key by which that is seen. */
export type PolicyServer = {
  readonly via: ServerName;
  /** `undefined` for what is no key: no event can have a valid signature then. */
  readonly key: VerifyKey | undefined;
};

/**
 * The policy server that the content of an `m.room.policy` event names, or `undefined` where it names none:
 *
 * > Valid means `content` contains at least: A string value for `via`. An object value for `public_keys` containing at least a
 * > string value for `ed25519`.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#determining-if-a-policy-server-is-enabled-in-a-room}
 */
export function parsePolicyServer(content: JsonObject): PolicyServer | undefined {
  const { via, public_keys: keys } = content;
  if (typeof via !== 'string' || !isJsonObject(keys)) return undefined;
  const { ed25519 } = keys;
  // What is no server's name has nobody joined, and counts no more than one that has left.
  const server = parseServerName(via);
  if (server === undefined || typeof ed25519 !== 'string') return undefined;
  return { via: server, key: parseVerifyKey(decodeBase64(ed25519) ?? new Uint8Array()) };
}

/** Every event but the one that names the policy server: a room must be able to get rid of it. */
export function needsPolicySignature({ type, stateKey }: { type: string; stateKey?: string | undefined }): boolean {
  return type !== 'm.room.policy' || stateKey !== '';
}

/** {@link https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures} */
export function hasPolicySignature(rules: RoomVersionRules, pdu: JsonObject, { via, key }: PolicyServer): boolean {
  return isSignedBy(signatureChecks(rules, pdu, via, (keyId) => (keyId === policyKeyId ? key : undefined)));
}

/**
 * An event with the signature that its policy server has answered with, beside all that it has; `undefined` where that is none.
 *
 * > The policy server name might be the same as the event's origin, and therefore the event might have existing signatures. Those
 * > existing signatures might not be returned by the policy server, but should be retained to validate the event.
 */
export function withPolicySignature(
  pdu: JsonObject,
  answer: JsonObject,
  { via }: PolicyServer,
): JsonObject | undefined {
  const signature = signaturesOf({ signatures: answer }, via).get(policyKeyId);
  return signature === undefined ? undefined : withSignature(pdu, via, policyKeyId, signature);
}
