import { isGlob } from '../../glob.ts';
import { maxIdentifierBytes } from '../../ids/identifier.ts';
import { isRoomId } from '../../ids/room-id.ts';
import { isServerName } from '../../ids/server-name.ts';
import { isUserId } from '../../ids/user-id.ts';
import { utf8Length } from '../../json/code-points.ts';
import type { JsonValue } from '../../json/value.ts';
import { stepSize } from '../../steps.ts';

/** The entries of `allowed_users` or `denied_users` by what they are. */
export type SharingList = {
  readonly users: ReadonlySet<string>;
  /** The same people, by their server. */
  readonly usersByServer: ReadonlyMap<string, readonly string[]>;
  readonly rooms: ReadonlySet<string>;
  /** Globs that match people of one server only, by that server. */
  readonly globsByServer: ReadonlyMap<string, readonly string[]>;
  /** All other globs. */
  readonly globs: readonly string[];
};

export const emptySharingList: SharingList = {
  users: new Set(),
  usersByServer: new Map(),
  rooms: new Set(),
  globsByServer: new Map(),
  globs: [],
};

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
  const others: string[] = [];
  const byServer = new Map<string, string[]>();
  for (const glob of globs) {
    done += glob.length;
    if (done >= stepSize) {
      done = 0;
      yield;
    }
    const server = serverOfGlob(glob);
    if (server === undefined) others.push(glob);
    else addTo(byServer, server, glob);
  }
  return { users, usersByServer, rooms, globsByServer: byServer, globs: others };
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

/** The server of all people whom a glob can match, if what stands behind its last wildcard names one. */
export function serverOfGlob(glob: string): string | undefined {
  const tail = glob.slice(Math.max(glob.lastIndexOf('*'), glob.lastIndexOf('?')) + 1);
  const colon = tail.indexOf(':');
  if (colon === -1) return undefined;
  const server = tail.slice(colon + 1);
  // What looks like a port may be the port of any server.
  return /^[0-9]{1,5}$/.test(server) || !isServerName(server) ? undefined : server;
}
