import { type GlobIndex, globIndexSteps } from '../../glob-index.ts';
import { isGlob } from '../../glob.ts';
import { maxIdentifierBytes } from '../../ids/identifier.ts';
import { isRoomId } from '../../ids/room-id.ts';
import { isUserId } from '../../ids/user-id.ts';
import { utf8Length } from '../../json/code-points.ts';
import type { JsonValue } from '../../json/value.ts';
import { runSteps, stepSize } from '../../steps.ts';
import { type GlobsByServer, globsByServerSteps } from './globs-by-server.ts';

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
    if (typeof entry !== 'string') continue;
    if (entry.startsWith('!')) {
      if (isRoomId(entry)) rooms.add(entry);
    } else if (!isGlob(entry)) {
      if (isUserId(entry)) users.add(entry);
    } else {
      const glob = globOf(entry);
      if (glob !== undefined) globs.add(glob);
    }
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

/** A pattern with as few stars as say the same; `undefined` if it can match nobody: user IDs begin with `@` and have at most 255 bytes. */
function globOf(entry: string): string | undefined {
  if (!/^[@*?]/.test(entry)) return undefined;
  const glob = entry.replaceAll(/\*{2,}/g, '*');
  // Between two stars stands something.
  if (glob.length <= maxIdentifierBytes) return glob;
  if (glob.length > 2 * maxIdentifierBytes + 1) return undefined;
  return utf8Length(glob.replaceAll('*', '')) <= maxIdentifierBytes ? glob : undefined;
}
