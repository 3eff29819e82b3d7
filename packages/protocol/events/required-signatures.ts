import { domainOf } from '../ids/identifier.ts';
import { isUserId } from '../ids/user-id.ts';
import type { RoomVersionRules } from '../room-versions/rules.ts';
import type { JsonObject } from '../json/value.ts';
import { reject, type Reject } from './decision.ts';
import { checkHash } from './hashes.ts';
import type { Pdu } from './pdu.ts';
import { redactContent } from './redact.ts';

export type RequiredSignatures =
  | { readonly kind: 'ok'; readonly servers: readonly string[] }
  | Reject<'signatures.authorising_user'>;

/**
 * The servers whose signatures an event needs.
 *
 * > For room versions 3 and later, unless the event is a 3rd party invite, only the signature(s) from the originating
 * > server (the server the `sender` belongs to) are required for verification. Room versions 1 and 2 also require that a
 * > signature is present from the domain in the `event_id`, if it differs from the originating server.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events}
 */
export function signaturesRequired(rules: RoomVersionRules, pdu: Pdu): RequiredSignatures {
  const servers = new Set<string>();
  if (!isThirdPartyInvite(rules, pdu)) addDomain(servers, pdu.sender);
  if (rules.event.eventId === 'explicit' && pdu.event_id !== undefined) addDomain(servers, pdu.event_id);
  const authoriser = rules.auth.restrictedJoins ? authoriserOf(pdu) : undefined;
  if (authoriser !== undefined) {
    // "If the event is not validly signed by the homeserver of the user ID denoted by the key, reject."
    if (typeof authoriser !== 'string' || !isUserId(authoriser)) {
      return reject('signatures.authorising_user', 'join_authorised_via_users_server is not a user ID');
    }
    addDomain(servers, authoriser);
  }
  return { kind: 'ok', servers: [...servers] };
}

function addDomain(servers: Set<string>, id: string): void {
  const domain = domainOf(id);
  if (domain !== undefined) servers.add(domain);
}

/**
 * Whether the event is one in the form that counts. Where the content is not what was hashed, that is the redacted form, of
 * which the exemption must hold as well: else whoever spoils the hash of such an invite, and signs nothing, has made an
 * ordinary one in another's name.
 */
function isThirdPartyInvite(rules: RoomVersionRules, pdu: Pdu): boolean {
  const { type, content } = pdu;
  if (type !== 'm.room.member' || content.membership !== 'invite' || !namesThirdParty(content)) return false;
  return namesThirdParty(redactContent(rules, type, content)) || checkHash(rules, pdu);
}

function namesThirdParty({ third_party_invite: invite }: JsonObject): boolean {
  return invite !== undefined;
}

function authoriserOf(pdu: Pdu): unknown {
  return pdu.type === 'm.room.member' ? pdu.content.join_authorised_via_users_server : undefined;
}
