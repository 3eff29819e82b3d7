import type { JsonObject } from '../json/value.ts';

/** Under which names a leave says that the account is deactivated. */
export const deactivationMarkers = ['m.deactivated', 'org.matrix.msc3759.deactivated'] as const;

type MemberEvent = {
  readonly type: string;
  readonly sender: string;
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
};

/**
 * Whether a member event says that its sender's account is deactivated. Anybody can say so of themselves: nothing hangs on it
 * but what is known about them.
 *
 * > This key MUST only be treated as valid if the `sender` and the `state_key` match. If the event is instead a kick, the key
 * > MUST be ignored.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3759}
 */
export function saysDeactivated({ type, sender, stateKey, content }: MemberEvent): boolean {
  if (type !== 'm.room.member' || sender !== stateKey || content['membership'] !== 'leave') return false;
  return deactivationMarkers.some((name) => Object.hasOwn(content, name) && content[name] === true);
}
