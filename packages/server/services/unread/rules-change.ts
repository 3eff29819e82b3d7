import type { PushRuleset } from '@portico/protocol/push/rule.ts';
import type { WriteSet } from '@portico/storage';
import { changeCustomRooms } from '@portico/storage/stores/unread/custom-rules.ts';
import { changeUnreadMode } from '@portico/storage/stores/unread/unread-modes.ts';
import { compareInRooms } from './member-rules.ts';
import type { UnreadMode } from './mode.ts';

/**
 * Makes somebody's new push rules count from here on in the rooms they are joined to. What was counted before stays as it
 * was.
 */
export function appendRulesChange(
  set: WriteSet,
  userId: string,
  joinedRooms: readonly { readonly room_nid: number; readonly room_id: string }[],
  change: {
    readonly before: PushRuleset;
    readonly after: PushRuleset;
    /** Whether they have pushers. */
    readonly isPushed: boolean;
  },
): void {
  const compare = compareInRooms(change.before, change.after, change.isPushed);
  const changed: number[] = [];
  const newModes = new Map<UnreadMode, number[]>();
  for (const { room_nid: roomNid, room_id: roomId } of joinedRooms) {
    const change = compare(roomId);
    if (change === undefined) continue;
    changed.push(roomNid);
    if (!change.isNewMode) continue;
    const rooms = newModes.get(change.mode);
    if (rooms === undefined) newModes.set(change.mode, [roomNid]);
    else rooms.push(roomNid);
  }
  changeCustomRooms(set, userId, changed);
  if (newModes.size === 0) return;
  const position = set.takePosition();
  for (const [mode, roomNids] of newModes) changeUnreadMode(set, userId, roomNids, mode, position);
}
