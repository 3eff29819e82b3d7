import { isJsonObject, type JsonValue } from '../../json/value.ts';
import { membershipOf } from '../auth-state.ts';
import { allow, reject, type AuthDecision } from '../decision.ts';
import type { RuleContext } from '../rule-context.ts';
import { offeredKeys } from '../third-party-invite-keys.ts';
import { findSigningKey } from '../third-party-invite-signature.ts';

/**
 * "If `content` has a `third_party_invite` property": rule 5.4.1 of room version 12. Whether the sender is in the room
 * does not matter here: they were when they sent the `m.room.third_party_invite` event.
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function authoriseThirdPartyInvite(context: RuleContext, target: string, invite: JsonValue): AuthDecision {
  const { event, state } = context;
  // 5.4.1.1 "If *target user* is banned, reject."
  if (membershipOf(state, target) === 'ban') return reject('third_party_invite.banned', `${target} is banned`);
  // 5.4.1.2 "If `content.third_party_invite` does not have a `signed` property, reject."
  const signed = isJsonObject(invite) ? invite['signed'] : undefined;
  if (!isJsonObject(signed)) return reject('third_party_invite.not_signed', 'the invite is not signed');
  // 5.4.1.3 "If `signed` does not have `mxid` and `token` properties, reject."
  const { mxid, token } = signed;
  if (mxid === undefined || typeof token !== 'string') {
    return reject('third_party_invite.no_mxid_or_token', 'the invite lacks a user or a token');
  }
  // 5.4.1.4 "If `mxid` does not match `state_key`, reject."
  if (mxid !== target) return reject('third_party_invite.wrong_mxid', `the invite is not for ${target}`);
  // 5.4.1.5 "If there is no `m.room.third_party_invite` event in the current room state with `state_key` matching `token`,
  // reject."
  const offer = state.get('m.room.third_party_invite', token);
  if (offer === undefined) return reject('third_party_invite.unknown_token', 'nobody was invited with this token');
  // 5.4.1.6 "If `sender` does not match `sender` of the `m.room.third_party_invite`, reject."
  if (offer.sender !== event.sender) {
    return reject('third_party_invite.wrong_sender', `${event.sender} did not send the invite`);
  }
  // 5.4.1.7 "If any signature in `signed` matches any public key in the `m.room.third_party_invite` event, allow."
  if (findSigningKey(signed, offeredKeys(offer.content)) !== undefined) return allow;
  // 5.4.1.8 "Otherwise, reject."
  return reject('third_party_invite.bad_signature', 'no signature is by a key that the invite names');
}
