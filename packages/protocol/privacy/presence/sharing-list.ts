import { type GlobIndex, globIndexSteps } from '../../glob-index.ts';
import type { JsonValue } from '../../json/value.ts';
import { runSteps, stepSize } from '../../steps.ts';
import { type GlobsByServer, globsByServerSteps } from './globs-by-server.ts';
import { parseSharingEntry } from './sharing-entry.ts';

/** The entries of `allowed_users` or `denied_users` by what they are. */
export type SharingList = {
  readonly users: ReadonlySet<string>;
  /** The same people, by their server. */
  readonly usersByServer: ReadonlyMap<string, readonly string[]>;
  readonly rooms: ReadonlySet<string>;
  readonly globs: GlobIndex;
  readonly globsByServer: GlobsByServer;
};

export const emptySharingList: SharingList = {
  users: new Set(),
  usersByServer: new Map(),
  rooms: new Set(),
  globs: runSteps(globIndexSteps([])),
  globsByServer: runSteps(globsByServerSteps([])),
};

/** Whether a list names nobody and nothing. */
export function isEmptyList({ users, rooms, globs }: SharingList): boolean {
  return users.size + rooms.size + globs.all.length === 0;
}

/** Whatever could match neither a person nor a room is left out, which changes nothing. Yields between steps. */
export function* sharingListSteps(entries: readonly JsonValue[]): Generator<void, SharingList, void> {
  const users = new Set<string>();
  const rooms = new Set<string>();
  const globs = new Set<string>();
  let done = 0;
  for (const entry of entries) {
    done += typeof entry === 'string' ? entry.length : 1;
    if (done >= stepSize) {
      done = 0;
      yield;
    }
    const parsed = parseSharingEntry(entry);
    if (parsed?.kind === 'glob') globs.add(parsed.glob);
    else if (parsed !== undefined) (parsed.kind === 'user' ? users : rooms).add(parsed.id);
  }
  const usersByServer = new Map<string, string[]>();
  for (const user of users) {
    done += user.length;
    if (done >= stepSize) {
      done = 0;
      yield;
    }
    addTo(usersByServer, user.slice(user.indexOf(':') + 1), user);
  }
  const patterns = [...globs];
  return {
    users,
    usersByServer,
    rooms,
    globs: yield* globIndexSteps(patterns),
    globsByServer: yield* globsByServerSteps(patterns),
  };
}

function addTo(lists: Map<string, string[]>, key: string, entry: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else list.push(entry);
}
