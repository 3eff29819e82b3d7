import { parseServerName, serverNameOf, type ServerName } from '@portico/protocol';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import { readRemoteLists, setRemoteList, type RemoteList } from '@portico/storage/stores/remote-device-lists.ts';
import { type Failures, unreachable } from '../failures.ts';
import type { FetchLists } from './fetch-lists.ts';

export type FoundLists = {
  /** Those whose keys are kept here. */
  readonly kept: readonly string[];
  /** Those whose keys were asked for and are not kept. */
  readonly passing: readonly RemoteList[];
  readonly failures: Failures;
};

/** Keys of people of other servers: those that are kept, and those that have to be asked for. */
export interface RemoteLists {
  find(users: readonly string[], timeout: number): Promise<FoundLists>;
}

type Dependencies = { readonly db: Database; readonly serverName: string; readonly fetchLists: FetchLists };

/** Milliseconds that a server has: those who ask may go before. */
const patience = 10_000;

type Fetched = { readonly list: RemoteList; readonly isKept: boolean };

/**
 * Lists of people who share a room with somebody here are kept, since their servers tell of every change. A list that has
 * become old is asked for again when somebody wants to know, and not before: however often a server says that something has
 * changed, it is asked as often as people here ask, and once for all who ask at the same time.
 */
export function createRemoteLists({ db, serverName, fetchLists }: Dependencies): RemoteLists {
  const running = new Map<string, Promise<Fetched | undefined>>();

  async function keep(list: RemoteList, position: number): Promise<boolean> {
    const set = createWriteSet();
    setRemoteList(set, list, position, serverName);
    try {
      await db.commit(set);
      return true;
    } catch (error) {
      if (error instanceof StorageError && error.guard === 'remote-list.outdated') return false;
      throw error;
    }
  }

  async function fetch(
    server: ServerName,
    users: readonly string[],
    shared: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, Fetched>> {
    const position = db.currentPosition();
    const wanted = {
      shared: users.filter((user) => shared.has(user)),
      others: users.filter((user) => !shared.has(user)),
    };
    const lists = await fetchLists(server, wanted, patience);
    const fetched = await Promise.all(
      lists.map(async (list) => {
        const isKept = shared.has(list.userId) && (await keep(list, position));
        return [list.userId, { list, isKept }] as const;
      }),
    );
    return new Map(fetched);
  }

  /** One request for all who ask for the same people at the same time. */
  function fetchOnce(
    server: ServerName,
    users: readonly string[],
    shared: ReadonlySet<string>,
  ): readonly (readonly [userId: string, Promise<Fetched | undefined>])[] {
    const asked = users.filter((user) => !running.has(user));
    if (asked.length > 0) {
      const all = fetch(server, asked, shared);
      for (const user of asked) {
        const one = all.then((fetched) => fetched.get(user)).finally(() => running.delete(user));
        running.set(user, one);
      }
    }
    return users.map((user) => [user, running.get(user) ?? Promise.resolve(undefined)] as const);
  }

  return {
    async find(users, timeout) {
      const rows = await readRemoteLists(db, users, serverName);
      const kept = rows.filter(({ cached }) => cached === 1).map((row) => row.user_id);
      const shared = new Set(rows.filter((row) => row.shared === 1).map((row) => row.user_id));
      const known = new Set(rows.filter((row) => row.known === 1).map((row) => row.user_id));
      const missing = rows.filter(({ cached }) => cached === 0).map((row) => row.user_id);
      const failures: { [server: string]: Failures[string] } = {};
      const passing: RemoteList[] = [];
      const byServer = Map.groupBy(missing, (user) => parseServerName(serverNameOf(user) ?? ''));
      const requests = [...byServer].flatMap(([server, ofServer]) =>
        server === undefined ? [] : fetchOnce(server, ofServer, shared),
      );
      const fetched = await within(
        timeout,
        requests.map(([, request]) => request),
      );
      for (const [index, [user]] of requests.entries()) {
        const found = fetched[index];
        if (found === undefined) {
          failures[serverNameOf(user) ?? ''] = unreachable;
          // Old keys are better than none.
          if (shared.has(user) && known.has(user)) kept.push(user);
        } else if (found.isKept) kept.push(user);
        else passing.push(found.list);
      }
      return { kept, passing, failures };
    },
  };
}

/** What has come when the time is up. */
async function within<T>(timeout: number, requests: readonly Promise<T | undefined>[]): Promise<(T | undefined)[]> {
  if (requests.length === 0) return [];
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeout);
  });
  try {
    return await Promise.all(requests.map((request) => Promise.race([request, expired])));
  } finally {
    clearTimeout(timer);
  }
}
