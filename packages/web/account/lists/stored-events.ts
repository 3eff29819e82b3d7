import type { JsonObject } from '@portico/protocol/json/value.ts';
import { isSame, readAccountData, writeAccountData } from '../server/account-data.ts';
import type { Session } from '../server/session.ts';

/** What is kept under each of several names of account data. */
export type StoredEvents = ReadonlyMap<string, JsonObject | undefined>;

export async function readEvents(session: Session, types: readonly string[]): Promise<StoredEvents> {
  const contents = await Promise.all(types.map((type) => readAccountData(session, type)));
  return new Map(types.map((type, index) => [type, contents[index]]));
}

export type SaveOutcome = {
  /** `changed`: another device has written something else meanwhile, and nothing was written now. */
  readonly kind: 'saved' | 'changed';
  /** What is kept now. */
  readonly events: StoredEvents;
};

/** Writes what is to be kept from now on, unless what is kept is not what the person has seen. */
export async function saveEvents(session: Session, seen: StoredEvents, next: StoredEvents): Promise<SaveOutcome> {
  const kept = await readEvents(session, [...seen.keys()]);
  if (!isSameEvents(kept, seen)) return { kind: 'changed', events: kept };
  for (const [type, content] of next) {
    if (content !== undefined && !isSame(content, seen.get(type))) await writeAccountData(session, type, content);
  }
  return { kind: 'saved', events: next };
}

/** An empty event says as much as none, and servers may take the one for the other. */
export function isSameEvents(one: StoredEvents, other: StoredEvents): boolean {
  return [...one].every(([type, content]) => isSame(content ?? {}, other.get(type) ?? {}));
}
