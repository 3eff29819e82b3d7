import type { ServerName } from '@portico/protocol';
import type { RemoteList, RemoteListRow } from '@portico/storage/stores/devices/remote-device-lists.ts';
import type { Asking } from './fetch-lists.ts';

export type Fetched = { readonly list: RemoteList; readonly isKept: boolean };

/** What was asked for together: how many wait for any of it, and whether nobody did when it would have been asked for. */
export type Group = { readonly owner: string; waiting: number; isGivenUp: boolean };

/** What is to be fetched, and by whom: several people who want the same may wait for a turn to ask for it, each among their own. */
type Wanted = {
  readonly since: number;
  readonly groups: Set<Group>;
  readonly answer: PromiseWithResolvers<Fetched | undefined>;
  /** With which of the groups it is being asked for. */
  asking: Group | undefined;
  isAnswered: boolean;
};

/** For each of these people, what has been fetched when somebody had a turn to ask. */
export interface WantedLists {
  /** Whoever asks is from then on among those who wait for its groups, unless these groups have it already. */
  want(
    server: ServerName,
    rows: readonly RemoteListRow[],
    owner: string,
    groups: Set<Group>,
  ): readonly (readonly [userId: string, answer: Promise<Fetched | undefined>])[];
}

type Dependencies = {
  readonly currentPosition: () => number;
  readonly fetch: (
    server: ServerName,
    rows: readonly RemoteListRow[],
    position: number,
    asking: Omit<Asking, 'timeout'>,
  ) => Promise<ReadonlyMap<string, Fetched>>;
};

/**
 * One request for all who ask for the same people at the same time, unless there was news since it was wanted. While it has not begun,
 * others who want the same wait for a turn of their own as well: whoever has one first asks for all of them.
 */
export function createWantedLists({ currentPosition, fetch }: Dependencies): WantedLists {
  const wanted = new Map<string, Wanted>();

  function findCurrent({ user_id: user, news_position: news }: RemoteListRow): Wanted | undefined {
    const one = wanted.get(user);
    return one !== undefined && one.since >= news ? one : undefined;
  }

  function ask(server: ServerName, rows: readonly RemoteListRow[], owner: string): Group {
    // What was read may be ahead of what has come in.
    const since = rows.reduce((last, row) => Math.max(last, row.news_position), currentPosition());
    const group: Group = { owner, waiting: 0, isGivenUp: false };
    const all = new Map(rows.map((row) => [row.user_id, findCurrent(row) ?? add(row.user_id, since)]));
    for (const one of all.values()) one.groups.add(group);
    const fetching = fetch(server, rows, since, {
      owner,
      isWanted(users) {
        group.isGivenUp ||= group.waiting === 0;
        return !group.isGivenUp && users.some((user) => isMissing(all.get(user), group));
      },
      onAsk(users) {
        for (const one of users.map((user) => all.get(user))) if (one !== undefined) one.asking = group;
      },
    });
    for (const [user, one] of all) {
      fetching.then(
        (fetched) => end(user, one, group, () => one.answer.resolve(fetched.get(user)), fetched.has(user)),
        (error: unknown) => end(user, one, group, () => one.answer.reject(error), false),
      );
    }
    return group;
  }

  function add(user: string, since: number): Wanted {
    const answer = Promise.withResolvers<Fetched | undefined>();
    // Whoever asks is told of a failure when all servers have been asked.
    answer.promise.catch(() => undefined);
    const one: Wanted = { since, groups: new Set(), answer, asking: undefined, isAnswered: false };
    wanted.set(user, one);
    return one;
  }

  /** Of several groups the first answer counts, or else the last failure. */
  function end(user: string, one: Wanted, group: Group, settle: () => void, isAnswered: boolean): void {
    one.groups.delete(group);
    if (one.asking === group) one.asking = undefined;
    if (!isAnswered && one.groups.size > 0) return;
    one.isAnswered ||= isAnswered;
    settle();
    if (wanted.get(user) === one) wanted.delete(user);
  }

  return {
    want(server, rows, owner, groups) {
      const missing = rows.filter((row) => !isSeenTo(findCurrent(row), owner));
      const group = missing.length === 0 ? undefined : ask(server, missing, owner);
      return rows.map(({ user_id: user }) => {
        const one = wanted.get(user);
        const own = group !== undefined && one?.groups.has(group) === true ? [group] : one?.groups;
        for (const each of own ?? []) {
          if (groups.has(each)) continue;
          each.waiting++;
          groups.add(each);
        }
        return [user, one?.answer.promise ?? Promise.resolve(undefined)] as const;
      });
    },
  };
}

/** Whether somebody asks for it, or its owner will. */
function isSeenTo(one: Wanted | undefined, owner: string): boolean {
  if (one === undefined) return false;
  if (one.asking !== undefined && !one.asking.isGivenUp) return true;
  return one.groups.values().some((group) => group.owner === owner && !group.isGivenUp);
}

/** Whether it has not been answered, and nobody else asks for it. */
function isMissing(one: Wanted | undefined, group: Group): boolean {
  if (one === undefined || one.isAnswered) return false;
  return one.asking === undefined || one.asking === group || one.asking.isGivenUp;
}
