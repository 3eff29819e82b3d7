import type { Scope } from './request.ts';
import type { WantedRoom } from './room-list.ts';

/**
 * Whether an extension is for a room.
 *
 * "If not defined, will be enabled for *all* the lists […]. If defined and empty, will be disabled for all the lists." and the same
 * for rooms. {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3960}
 */
export function isInScope({ lists, rooms }: Scope, { room, lists: names, isSubscribed }: WantedRoom): boolean {
  if (names.length > 0 && (lists === undefined || names.some((name) => lists.has(name)))) return true;
  return rooms === undefined ? isSubscribed : rooms.has(room.id);
}
