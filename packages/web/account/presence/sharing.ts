import { type SharingEntry, parseSharingEntry } from '@portico/protocol/privacy/presence/sharing-entry.ts';
import { sharingLists, sharingTypes } from '@portico/protocol/privacy/presence/sharing.ts';
import type { JsonObject, JsonValue } from '@portico/protocol/json/value.ts';
import { type Edit, listIn } from '../lists/edits.ts';
import type { StoredEvents } from '../lists/stored-events.ts';

/** Both names under which it may be kept; of two events the stable one counts. */
export const sharingEventTypes: readonly string[] = [sharingTypes.stable, sharingTypes.unstable];

export type SharingList = (typeof sharingLists)[number];

/** The name that counts: where nothing is kept, the one that clients know as long as the proposal is none of the specification. */
export function typeInUse(events: StoredEvents): string {
  return events.get(sharingTypes.stable) === undefined ? sharingTypes.unstable : sharingTypes.stable;
}

export function contentInUse(events: StoredEvents): JsonObject {
  return events.get(typeInUse(events)) ?? {};
}

/** A list that is none makes all of it count for nothing: nobody sees anything. */
export function malformedLists(content: JsonObject): readonly SharingList[] {
  return sharingLists.filter((list) => listIn(content, list) === undefined);
}

/** All other people, as this page writes it. */
export const everyone = '@*:*';

export function isEveryone(entry: JsonValue): boolean {
  const parsed = parseSharingEntry(entry);
  return parsed?.kind === 'glob' && [everyone, '@*', '*'].includes(parsed.glob);
}

export type RoomChoice = 'usual' | 'always' | 'never';

/** In both lists, `allowed_users` counts. */
export function choiceOf(content: JsonObject, roomId: string): RoomChoice {
  if (listIn(content, 'allowed_users')?.includes(roomId) === true) return 'always';
  return listIn(content, 'denied_users')?.includes(roomId) === true ? 'never' : 'usual';
}

export function chooseForRoom(type: string, roomId: string, choice: RoomChoice): Edit[] {
  const edits: Edit[] = sharingLists.map((list) => ({ type, kind: 'remove', list, entry: roomId }));
  if (choice === 'usual') return edits;
  const list: SharingList = choice === 'always' ? 'allowed_users' : 'denied_users';
  return [...edits, { type, kind: 'add', list, entry: roomId }];
}

export type ListedEntry = { readonly entry: JsonValue; readonly parsed: SharingEntry | undefined };

/** What a list says of people, and what in it cannot be understood; not the rooms, and not everyone at once. */
export function entriesOf(content: JsonObject, list: SharingList): readonly ListedEntry[] {
  return (listIn(content, list) ?? [])
    .map((entry) => ({ entry, parsed: parseSharingEntry(entry) }))
    .filter(({ entry, parsed }) => parsed?.kind !== 'room' && !(list === 'denied_users' && isEveryone(entry)));
}

/** The rooms that a list names. */
export function roomsIn(content: JsonObject, list: SharingList): readonly string[] {
  return (listIn(content, list) ?? []).flatMap((entry) => {
    const parsed = parseSharingEntry(entry);
    return parsed?.kind === 'room' ? [parsed.id] : [];
  });
}
