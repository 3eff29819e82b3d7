const memberType = 'm.room.member';
const wildcard = '*';

/**
 * Which entries of a room's state a client wants, as the union of what it asked for. Memberships are apart: all of them,
 * those of the people in the timeline, or only those that are named.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4186}
 */
export type RequiredState = {
  /** Everything but memberships. */
  readonly everything: boolean;
  readonly members: 'all' | 'lazy' | 'named';
  /** Types of which every entry is wanted. */
  readonly types: ReadonlySet<string>;
  /** State keys that are wanted of every type. */
  readonly stateKeys: ReadonlySet<string>;
  /** Single entries, by `entryKey`. */
  readonly entries: ReadonlySet<string>;
};

export const nothingRequired: RequiredState = {
  everything: false,
  members: 'named',
  types: new Set(),
  stateKeys: new Set(),
  entries: new Set(),
};

export function entryKey(type: string, stateKey: string): string {
  return `${type}\0${stateKey}`;
}

/** Pairs of a type and a state key, either of which may be `*`; the key may be `$ME`, and that of members `$LAZY`. */
export function parseRequiredState(pairs: readonly (readonly string[])[], userId: string): RequiredState {
  let everything = false;
  let allMembers = false;
  let lazy = false;
  const types = new Set<string>();
  const stateKeys = new Set<string>();
  const entries = new Set<string>();
  for (const [type = '', key = ''] of pairs) {
    const stateKey = key === '$ME' ? userId : key;
    if (type === memberType && stateKey === '$LAZY') lazy = true;
    else if (type === wildcard && stateKey === wildcard) everything = true;
    else if (type === memberType && stateKey === wildcard) allMembers = true;
    else if (type === wildcard) stateKeys.add(stateKey);
    else if (stateKey === wildcard) types.add(type);
    else entries.add(entryKey(type, stateKey));
  }
  // With everything, lazy loading is what keeps the members out of it.
  const members = allMembers || (everything && !lazy) ? 'all' : lazy ? 'lazy' : 'named';
  return { everything, members, types, stateKeys, entries };
}

const membersRank = { named: 0, lazy: 1, all: 2 };

/** "Take the union of the required state fields": what either of them wants. */
export function combineRequiredState(a: RequiredState, b: RequiredState): RequiredState {
  if (a === b) return a;
  return {
    everything: a.everything || b.everything,
    members: membersRank[a.members] >= membersRank[b.members] ? a.members : b.members,
    types: a.types.union(b.types),
    stateKeys: a.stateKeys.union(b.stateKeys),
    entries: a.entries.union(b.entries),
  };
}

/** Of how many parts a wish is made. */
export function sizeOfRequiredState({ types, stateKeys, entries }: RequiredState): number {
  return types.size + stateKeys.size + entries.size;
}

/** Whether an entry is wanted whoever speaks in the timeline. */
export function requires(state: RequiredState, type: string, stateKey: string): boolean {
  if (state.entries.has(entryKey(type, stateKey)) || state.stateKeys.has(stateKey)) return true;
  return type === memberType ? state.members === 'all' : state.everything || state.types.has(type);
}

/** Whether everything that `part` wants is wanted by `whole`. */
export function coversRequiredState(whole: RequiredState, part: RequiredState): boolean {
  if (membersRank[part.members] > membersRank[whole.members]) return false;
  if (part.everything && !whole.everything) return false;
  if (!part.stateKeys.isSubsetOf(whole.stateKeys)) return false;
  if (!whole.everything && !part.types.isSubsetOf(whole.types)) return false;
  return part.entries.values().every((entry) => {
    const end = entry.indexOf('\0');
    return requires(whole, entry.slice(0, end), entry.slice(end + 1));
  });
}

/** The same text for the same wishes. */
export function formatRequiredState({ everything, members, types, stateKeys, entries }: RequiredState): string {
  return JSON.stringify([everything, members, ...[types, stateKeys, entries].map((set) => [...set].toSorted())]);
}

/** Takes what `formatRequiredState` has made. */
export function readRequiredState(text: string): RequiredState {
  const [everything, members, types, stateKeys, entries] = JSON.parse(text) as [
    boolean,
    RequiredState['members'],
    string[],
    string[],
    string[],
  ];
  return { everything, members, types: new Set(types), stateKeys: new Set(stateKeys), entries: new Set(entries) };
}
