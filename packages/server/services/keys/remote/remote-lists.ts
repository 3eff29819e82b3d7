import { parseServerName, serverNameOf, type ServerName } from '@portico/protocol';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import { markDeviceList, readJoinedRoomsOf } from '@portico/storage/stores/devices/device-keys.ts';
import {
  readRemoteLists,
  setRemoteList,
  type RemoteList,
  type RemoteListRow,
} from '@portico/storage/stores/devices/remote-device-lists.ts';
import { createPacer } from '../../pacer.ts';
import type { KeyAsker } from '../asker.ts';
import { type Failures, unreachable } from '../failures.ts';
import { portionsOf } from '../key-sections.ts';
import type { Asking, FetchLists } from './fetch-lists.ts';
import { createWantedLists, type Fetched, type Group } from './wanted-lists.ts';

export type FoundLists = {
  /** Those whose keys are kept here. */
  readonly kept: readonly string[];
  /** Those whose keys were asked for and are not kept. */
  readonly passing: readonly RemoteList[];
  readonly failures: Failures;
};

/** Keys of people of other servers: those that are kept, and those that have to be asked for. */
export interface RemoteLists {
  find(asker: KeyAsker, users: readonly string[], timeout: number): Promise<FoundLists>;
}

type Dependencies = { readonly db: Database; readonly serverName: string; readonly fetchLists: FetchLists };

/** Milliseconds that a server has: those who ask may go before. */
const patience = 10_000;

/**
 * Lists of people who share a room with somebody here are kept, since their servers tell of every change. A list that has
 * become old is asked for again when somebody wants to know, and not before: however often a server says that something has
 * changed, it is asked as often as people here ask, and once for all who ask at the same time.
 */
export function createRemoteLists({ db, serverName, fetchLists }: Dependencies): RemoteLists {
  // Somebody may ask for people of thousands of servers.
  const pace = createPacer();

  async function keep(list: RemoteList, before: RemoteListRow, position: number): Promise<boolean> {
    const { userId } = list;
    const set = createWriteSet();
    setRemoteList(set, list, position, serverName);
    if (isUntold(list, before)) {
      markDeviceList(set, userId, await readJoinedRoomsOf(db, userId), set.takePosition());
    }
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
    rows: readonly RemoteListRow[],
    position: number,
    asking: Omit<Asking, 'timeout'>,
  ): Promise<ReadonlyMap<string, Fetched>> {
    const shared = new Map(rows.filter((row) => row.shared === 1).map((row) => [row.user_id, row]));
    const others = rows.filter((row) => row.shared === 0).map((row) => row.user_id);
    const lists = await fetchLists(server, { shared: [...shared.keys()], others }, { ...asking, timeout: patience });
    const fetched = await Promise.all(
      lists.map(async (list) => {
        const row = shared.get(list.userId);
        const isKept = row !== undefined && (await keep(list, row, position));
        return [list.userId, { list, isKept }] as const;
      }),
    );
    return new Map(fetched);
  }

  const wanted = createWantedLists({ currentPosition: () => db.currentPosition(), fetch });

  return {
    async find(asker, users, timeout) {
      const rows: RemoteListRow[] = [];
      for (const portion of portionsOf(users)) {
        rows.push(...(await readRemoteLists(db, portion, serverName)));
        await pace();
      }
      const kept = rows.filter(({ cached }) => cached === 1).map((row) => row.user_id);
      const missing = rows.filter(({ cached }) => cached === 0);
      const failures: { [server: string]: Failures[string] } = {};
      const passing: RemoteList[] = [];
      const byServer = Map.groupBy(missing, (row) => parseServerName(serverNameOf(row.user_id) ?? ''));
      const requests: ReturnType<typeof wanted.want>[number][] = [];
      const groups = new Set<Group>();
      for (const [server, ofServer] of byServer) {
        await pace();
        if (server !== undefined) requests.push(...wanted.want(server, ofServer, asker.userId, groups));
      }
      const answers = requests.map(([, request]) => request);
      const fetched = answers.length === 0 ? [] : await within(timeout, asker.signal, answers);
      for (const group of groups) group.waiting--;
      for (const [index, [user]] of requests.entries()) {
        const found = fetched[index];
        // Old keys are not given: clients take what they get for all there is, and do not ask again.
        if (found === undefined) failures[serverNameOf(user) ?? ''] = unreachable;
        else if (found.isKept) kept.push(user);
        else passing.push(found.list);
      }
      return { kept, passing, failures };
    },
  };
}

/**
 * Whether nobody here was told of news that is in a list: the update that tells of it comes later, and is no news by then. Where
 * the server does not say how far the list goes, it is.
 */
function isUntold({ streamId }: RemoteList, before: RemoteListRow): boolean {
  return before.known === 1 && before.stale === 0 && streamId !== undefined && streamId !== before.stream_id;
}

/** What has come when the time is up, or the signal says that nobody waits any more. */
async function within<T>(
  timeout: number,
  signal: AbortSignal | undefined,
  requests: readonly Promise<T | undefined>[],
): Promise<(T | undefined)[]> {
  const { promise: expired, resolve } = Promise.withResolvers<undefined>();
  const expire = (): void => resolve(undefined);
  const timer = setTimeout(expire, timeout);
  signal?.addEventListener('abort', expire, { once: true });
  if (signal?.aborted === true) expire();
  try {
    return await Promise.all(requests.map((request) => Promise.race([request, expired])));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', expire);
  }
}
