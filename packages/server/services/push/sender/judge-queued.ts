import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { evaluatePush } from '@portico/protocol/push/compile-rules.ts';
import type { PushAction } from '@portico/protocol/push/rule.ts';
import type { Reader } from '@portico/storage';
import { readUserRules as readUserRulesRow } from '@portico/storage/stores/unread/custom-rules.ts';
import type { QueuedRow } from '@portico/storage/stores/push/push-queue.ts';
import type { InviteRules } from '../../privacy/invite-rules.ts';
import type { ErasedSenders } from '../../reading/erased-senders.ts';
import type { IgnoredUsers } from '../../reading/ignored-users.ts';
import { readUserRules, type RoomRules, roomRules } from '../../unread/member-rules.ts';
import { judgeInvite } from '../judge-invite.ts';

export type JudgeDependencies = {
  readonly db: Reader;
  readonly ignored: IgnoredUsers;
  readonly inviteRules: Pick<InviteRules, 'isVisible'>;
  readonly erasedSenders: ErasedSenders;
};

/** An event that somebody is to be told of. */
export type Wanted = {
  readonly row: QueuedRow & EventFields;
  readonly isInvite: boolean;
  readonly actions: readonly PushAction[];
};

type EventFields = {
  readonly event_id: string;
  readonly room_id: string;
  readonly type: string;
  readonly sender: string;
  readonly content: string;
};

/** Whether somebody is to be told of an event now that it is its turn: much may have happened since it was queued. */
export async function judgeQueued(
  deps: JudgeDependencies,
  userId: string,
  row: QueuedRow,
): Promise<Wanted | undefined> {
  if (!isEvent(row) || row.redacted_by !== null) return undefined;
  const { sender } = row;
  if ((await deps.ignored.of(userId)).has(sender)) return undefined;
  if ((await deps.erasedSenders.among([sender])).has(sender)) return undefined;
  if (row.actions === '') {
    // Another invitation than this one is queued for itself.
    if (row.membership !== 'invite' || row.member_nid !== row.event_nid) return undefined;
    if (!(await deps.inviteRules.isVisible(sender, userId))) return undefined;
    const rules = readUserRules(await readUserRulesRow(deps.db, userId), userId);
    const outcome = judgeInvite(rules, { userId, roomId: row.room_id }, row);
    return outcome && { row, isInvite: true, actions: outcome.actions };
  }
  if (row.membership !== 'join' || row.is_read === 1) return undefined;
  return { row, isInvite: false, actions: parseJson(row.actions) as readonly PushAction[] };
}

function isEvent(row: QueuedRow): row is QueuedRow & EventFields {
  return row.event_id !== null && row.room_id !== null;
}

/** Whatever is not known here is what makes a rule match that announces events. */
const anyRoom = { displayName: undefined, memberCount: () => 2, mayNotify: () => true, hasSubscribed: true };

/** Says what somebody's rules, as they are now, announce in no case: where they have muted a room since, for instance. */
export async function readMuting(db: Reader, userId: string): Promise<(wanted: Wanted) => boolean> {
  const userRules = readUserRules(await readUserRulesRow(db, userId), userId);
  const known = new Map<string, RoomRules>();
  return ({ row: { room_id: roomId, type, sender, state_key: stateKey, content: text } }) => {
    const { rules, usesDisplayName } = roomRules(userRules, roomId, known);
    if (usesDisplayName) return false;
    const parsed = parseJson(text, 'lenient');
    const content: JsonObject = isJsonObject(parsed) ? parsed : {};
    const subject = { type, sender, roomId, stateKey: stateKey ?? undefined, content };
    return evaluatePush(rules, subject, { ...anyRoom, userId })?.notify !== true;
  };
}
