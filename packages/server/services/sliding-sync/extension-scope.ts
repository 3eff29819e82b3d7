import { createHash } from 'node:crypto';
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

/** A short text for the rooms that an extension is for; an empty one for all rooms. */
export function scopeHash({ lists, rooms }: Scope): string {
  if (lists === undefined && rooms === undefined) return '';
  const texts = [lists, rooms].map((names) => names && [...names].toSorted());
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 10).toUpperCase();
}

/** The hash of an extension's scope that a client has had, from what its position says; `undefined` if it had none. */
export function knownScope(extensions: string, letter: string): string | undefined {
  const start = extensions.indexOf(letter);
  return start === -1 ? undefined : (/^[0-9A-F]*/.exec(extensions.slice(start + 1))?.[0] ?? '');
}
