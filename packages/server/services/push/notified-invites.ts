import { readEvents } from '@portico/storage/stores/events/timeline.ts';
import { readInvitesToTell } from '@portico/storage/stores/push/notified-events.ts';
import { readUserRules as readUserRulesRow } from '@portico/storage/stores/unread/custom-rules.ts';
import type { ReadingContext } from '../reading/context.ts';
import { readUserRules } from '../unread/member-rules.ts';
import { judgeInvite } from './judge-invite.ts';
import type { Notified } from './notified-events.ts';

type Stretch = { readonly from: number; readonly before: number };

/** The invitations that notify somebody, of those that they get to see, in a stretch of time: the newest first. */
export async function readNotifiedInvites(
  { db, inviteRules }: ReadingContext,
  userId: string,
  stretch: Stretch,
): Promise<readonly Notified[]> {
  const rows = await readInvitesToTell(db.long, userId, stretch);
  if (rows.length === 0) return [];
  const found = await readEvents(
    db.long,
    rows.map((row) => row.event_nid),
  );
  const events = new Map(found.map((event) => [event.event_nid, event]));
  const [hidden, rulesRow] = await Promise.all([
    inviteRules.hiddenOf(
      userId,
      found.map(({ sender }) => sender),
    ),
    readUserRulesRow(db, userId),
  ]);
  const rules = { ...readUserRules(rulesRow, userId), isPushed: true };
  return rows.flatMap((row) => {
    const event = events.get(row.event_nid);
    if (event === undefined || hidden.has(event.sender)) return [];
    const outcome = judgeInvite(rules, { userId, roomId: row.room_id }, event);
    if (outcome === undefined) return [];
    return [{ row, event, actions: outcome.actions, isHighlight: outcome.highlight, membership: 'invite' }];
  });
}
