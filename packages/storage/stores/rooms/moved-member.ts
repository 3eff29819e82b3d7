import type { Change, WriteSet } from '../../database.ts';

/** Whose membership of which room is another one now. */
export type MovedMember = { readonly roomNid: number; readonly userId: string };

const movedMemberKind = 'membership';

/** Has the commit tell caches and waiting requests of it. */
export function noteMovedMember(set: Pick<WriteSet, 'change'>, { roomNid, userId }: MovedMember): void {
  set.change(movedMemberKind, `${roomNid} ${userId}`);
}

/** What `noteMovedMember` noted, or `undefined` for a change of anything else. */
export function movedMemberOf({ kind, key }: Change): MovedMember | undefined {
  if (kind !== movedMemberKind || typeof key !== 'string') return undefined;
  const blank = key.indexOf(' ');
  return { roomNid: Number(key.slice(0, blank)), userId: key.slice(blank + 1) };
}
