import { isGlob, matchesGlob } from '../../glob.ts';
import type { JsonValue } from '../../json/value.ts';
import { runSteps } from '../../steps.ts';

/** For whom another server's word about one of its people is. */
export type InboundList =
  /** As before the proposal: all who share a room with the person. */
  | { readonly kind: 'everyone' }
  /** `globs` count only for who shares a room with the person: nobody else can be meant by them. */
  | { readonly kind: 'listed'; readonly users: ReadonlySet<string>; readonly globs: readonly string[] };

const nobody: InboundList = { kind: 'listed', users: new Set(), globs: [] };

/** So many of each kind are looked at: no sender needs more in one entry. */
const maxEntries = 10_000;
const maxGlobs = 256;
const entriesPerStep = 500;

/**
 * > If `allowed_recipients` is not present, empty, or null, the update is to be treated as before this MSC for backwards
 * > compatibility.
 *
 * A list that is none, or that has anything but text in it, is for nobody. People of other servers are left out. Yields
 * between steps.
 */
export function* inboundListSteps(value: JsonValue | undefined, ownServer: string): Generator<void, InboundList, void> {
  if (value === undefined || value === null) return { kind: 'everyone' };
  if (!Array.isArray(value) || value.length > maxEntries) return nobody;
  if (value.length === 0) return { kind: 'everyone' };
  const suffix = `:${ownServer}`;
  const users = new Set<string>();
  const globs = new Set<string>();
  let done = 0;
  for (const entry of value) {
    if (++done % entriesPerStep === 0) yield;
    if (typeof entry !== 'string') return nobody;
    if (isGlob(entry)) {
      if (entry.length <= 512) globs.add(entry);
    } else if (entry.startsWith('@') && entry.length <= 255 && entry.endsWith(suffix)) users.add(entry);
  }
  return globs.size > maxGlobs ? nobody : { kind: 'listed', users, globs: [...globs] };
}

export function parseInboundList(value: JsonValue | undefined, ownServer: string): InboundList {
  return runSteps(inboundListSteps(value, ownServer));
}

/** Whether somebody is meant, given whether they share a room with the person. */
export function isMeant(list: InboundList, userId: string, sharesRoom: boolean): boolean {
  if (list.kind === 'everyone') return sharesRoom;
  if (list.users.has(userId)) return true;
  return sharesRoom && list.globs.some((glob) => matchesGlob(glob, userId));
}
