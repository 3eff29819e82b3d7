import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { evaluatePush } from '@portico/protocol/push/compile-rules.ts';
import type { Outcome } from '@portico/protocol/push/outcome.ts';
import { roomRules, type UserRules } from '../unread/member-rules.ts';

type Invite = {
  readonly type: string;
  readonly sender: string;
  readonly state_key: string | null;
  readonly content: string;
};

/** Nothing is known of the room but what the invitee is shown, so conditions about its members do not match. */
const unknownRoom = { displayName: undefined, memberCount: () => 0, mayNotify: () => false };

/** What the rules of somebody who is invited make of that. */
export function judgeInvite(
  rules: UserRules,
  { userId, roomId }: { readonly userId: string; readonly roomId: string },
  { type, sender, state_key: stateKey, content: text }: Invite,
): Outcome | undefined {
  const parsed = parseJson(text, 'lenient');
  const content: JsonObject = isJsonObject(parsed) ? parsed : {};
  const subject = { type, sender, roomId, stateKey: stateKey ?? undefined, content };
  const outcome = evaluatePush(roomRules(rules, roomId).rules, subject, { ...unknownRoom, userId });
  return outcome?.notify === true ? outcome : undefined;
}
