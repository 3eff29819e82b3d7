import type { ThreadModeRow, UnreadExceptionRow, UnreadModeRow } from '@portico/storage/stores/unread/unread-read.ts';
import { isUnreadMode, type UnreadMode } from './mode.ts';

export type UnreadCount = { readonly notificationCount: number; readonly highlightCount: number };

/** From an ordinal on, another mode. `since` is the place in the room's order where it began. */
type ModeStart = { readonly since: number | null; readonly ordinal: number; readonly mode: UnreadMode };

const fromTheStart: ModeStart = { since: null, ordinal: 0, mode: 'all' };

/** The modes of a room, and of its threads where those have ordinals of their own at each start. */
export function modeStarts(modes: readonly UnreadModeRow[], thread?: readonly ThreadModeRow[]): readonly ModeStart[] {
  if (modes.length === 0) return [fromTheStart];
  const starts = modes.map(({ since_order: since, ordinal, mode }) => ({
    since,
    ordinal: thread === undefined ? ordinal : (thread.find((row) => row.since_order === since)?.ordinal ?? 0),
    mode: isUnreadMode(mode) ? mode : 'all',
  }));
  return [fromTheStart, ...starts];
}

/**
 * What is unread between two ordinals: each stretch of one mode counts its difference of ordinals, if its mode does, and
 * the exceptions that fall into it.
 */
export function countUnread(
  range: { readonly read: number; readonly head: number },
  starts: readonly ModeStart[],
  exceptions: readonly UnreadExceptionRow[],
): UnreadCount {
  let notificationCount = 0;
  let highlightCount = 0;
  for (const [index, { since, ordinal, mode }] of starts.entries()) {
    if (mode === 'all') {
      const end = starts[index + 1]?.ordinal ?? range.head;
      notificationCount += Math.max(0, end - Math.max(ordinal, range.read));
    }
    for (const row of exceptions) {
      if (row.since_order !== since) continue;
      const { notify, highlight } = addedBy(row, mode);
      notificationCount += notify;
      highlightCount += highlight;
    }
  }
  return { notificationCount: Math.max(0, notificationCount), highlightCount: Math.max(0, highlightCount) };
}

function addedBy(row: UnreadExceptionRow, mode: UnreadMode): { readonly notify: number; readonly highlight: number } {
  switch (mode) {
    case 'all':
      return { notify: row.notify - row.base_notify, highlight: row.highlight - row.base_highlight };
    case 'mentions':
      // Of what is for all, only highlights count; rows of their own say what is to be added to those.
      return { notify: row.notify - row.base_highlight, highlight: row.highlight - row.base_highlight };
    case 'muted':
      return row.for_all === 1 ? { notify: 0, highlight: 0 } : { notify: row.notify, highlight: row.highlight };
    default: {
      const unknown: never = mode;
      return unknown;
    }
  }
}
