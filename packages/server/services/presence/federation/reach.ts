import { serverNameOf } from '@portico/protocol';
import { decidePresence } from '@portico/protocol/privacy/presence/decide.ts';
import { matchSteps } from '@portico/protocol/privacy/presence/match-recipient.ts';
import {
  namedRecipientSteps,
  namedServers,
  recipientSteps,
  type Recipients,
} from '@portico/protocol/privacy/presence/recipients.ts';
import type { Database } from '@portico/storage';
import {
  readIgnoredAmong,
  readRemoteHosts,
  readRemoteMembers,
} from '@portico/storage/stores/presence/presence-audience.ts';
import { inSteps } from '../../in-steps.ts';
import { createPacer } from '../../pacer.ts';
import { type PeopleRooms, type RoomsOfPerson, sharedRooms } from '../people-rooms.ts';
import type { CompiledPolicy, Policies } from '../policies.ts';

/** Of one server: who shares a room with a person, by whether they may see them. */
type Members = { readonly permitted: Set<string>; readonly refused: Set<string> };

/** Where a person's presence may go: as it is with these settings and these rooms. */
export type Reach = {
  /** Of the settings by which it was worked out: they are not kept with it, since they may be large. */
  readonly version: string;
  readonly isRestricted: boolean;
  readonly rooms: RoomsOfPerson;
  /** Servers that share a room. */
  readonly hosts: ReadonlySet<string>;
  /** Of the servers for which it takes a list. */
  readonly members: Map<string, Members>;
  readonly lists: Map<string, Recipients>;
};

/** A reach with its settings, for as long as it takes to tell others. */
export type OpenReach = { readonly reach: Reach; readonly compiled: CompiledPolicy };

export interface Reaches {
  /** Works out anew what has to be; `moved` are people of other servers who came or went since `before`. */
  find(userId: string, before: Reach | undefined, moved: ReadonlySet<string>): Promise<OpenReach>;
  recipients(open: OpenReach, host: string): Promise<Recipients>;
  /** Those on a server who share a room and may not see the person. */
  refused(reach: Reach, host: string): ReadonlySet<string>;
  /** All servers that may get anything. */
  hosts(open: OpenReach): ReadonlySet<string>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  readonly policies: Policies;
  readonly rooms: PeopleRooms;
};

const perPage = 500;
/** Servers that are only named: a list of names must not make this server call on half the network. */
const maxNamedServers = 256;
const nobody: ReadonlySet<string> = new Set();

export function createReaches({ db, serverName, policies, rooms }: Dependencies): Reaches {
  async function place({ reach, compiled }: OpenReach, userId: string, theirRooms: RoomsOfPerson): Promise<void> {
    const host = serverNameOf(userId) ?? '';
    let members = reach.members.get(host);
    if (members === undefined) {
      members = { permitted: new Set(), refused: new Set() };
      reach.members.set(host, members);
    }
    members.permitted.delete(userId);
    members.refused.delete(userId);
    reach.lists.delete(host);
    const shared = [...sharedRooms(reach.rooms, theirRooms)];
    if (shared.length === 0) return;
    const match = await inSteps(matchSteps(compiled.policy, userId));
    const facts = { isSelf: false, isIgnored: compiled.ignored.has(userId), sharedRooms: shared };
    const { allowed } = decidePresence(compiled.policy, match, facts);
    (allowed ? members.permitted : members.refused).add(userId);
  }

  async function scan(open: OpenReach, onlyHosts: ReadonlySet<string> | undefined): Promise<void> {
    const { reach } = open;
    const roomNids = [...reach.rooms.keys()];
    const pace = createPacer();
    let after = '';
    for (;;) {
      const rows = await readRemoteMembers(db.long, roomNids, after, perPage);
      for (const [userId, theirs] of Map.groupBy(rows, (row) => row.user_id)) {
        if (onlyHosts === undefined || onlyHosts.has(serverNameOf(userId) ?? '')) {
          await place(open, userId, new Map(theirs.map((row) => [row.room_nid, reach.rooms.get(row.room_nid) ?? ''])));
        }
        after = userId;
        const pause = pace();
        if (pause !== undefined) await pause;
      }
      if (rows.length === 0) return;
    }
  }

  async function build(userId: string): Promise<OpenReach> {
    for (;;) {
      const compiled = await policies.load(userId);
      await rooms.load([userId]);
      const mine = rooms.known(userId);
      if (mine === undefined) continue;
      const roomNids = [...mine.keys()];
      const hosts = new Set(await readRemoteHosts(db, roomNids, serverName));
      const { version, isRestricted } = compiled;
      const reach: Reach = { version, isRestricted, rooms: mine, hosts, members: new Map(), lists: new Map() };
      const open = { reach, compiled };
      if (isRestricted) await scan(open, undefined);
      else {
        const ignored = [...compiled.ignored].filter((other) => serverNameOf(other) !== serverName);
        const among = ignored.length === 0 ? [] : await readIgnoredAmong(db, roomNids, ignored);
        const hostsOfIgnored = new Set(among.map((other) => serverNameOf(other) ?? ''));
        if (hostsOfIgnored.size > 0) await scan(open, hostsOfIgnored);
      }
      return open;
    }
  }

  /** Whether somebody who shares no room may get the presence. */
  async function mayWithoutRoom({ policy, ignored }: CompiledPolicy, userId: string): Promise<boolean> {
    const match = await inSteps(matchSteps(policy, userId));
    return decidePresence(policy, match, { isSelf: false, isIgnored: ignored.has(userId), sharedRooms: [] }).allowed;
  }

  return {
    async find(userId, before, moved) {
      if (before === undefined) return build(userId);
      const compiled = await policies.load(userId);
      await rooms.load([userId]);
      if (compiled.version !== before.version || rooms.known(userId) !== before.rooms) return build(userId);
      if (moved.size === 0) return { reach: before, compiled };
      if (!before.isRestricted) return build(userId);
      // Of a large room, only those who came or went are looked at.
      const hosts = new Set(await readRemoteHosts(db, [...before.rooms.keys()], serverName));
      const open = { reach: { ...before, hosts }, compiled };
      await rooms.load(moved);
      for (const other of moved) await place(open, other, rooms.known(other) ?? new Map());
      return open;
    },
    async recipients({ reach, compiled }, host) {
      const { members } = reach;
      if (!reach.isRestricted && !members.has(host)) {
        return reach.hosts.has(host) ? { kind: 'everyone' } : { kind: 'nobody' };
      }
      const known = reach.lists.get(host);
      if (known !== undefined) return known;
      const named = await inSteps(namedRecipientSteps(compiled.policy, host));
      const { permitted = nobody, refused = nobody } = members.get(host) ?? {};
      const users: string[] = [];
      const pace = createPacer();
      for (const user of named.users) {
        if (permitted.has(user) || (!refused.has(user) && (await mayWithoutRoom(compiled, user)))) users.push(user);
        const pause = pace();
        if (pause !== undefined) await pause;
      }
      const list = await inSteps(recipientSteps({ globs: named.globs, users }, permitted));
      reach.lists.set(host, list);
      return list;
    },
    refused: (reach, host) => reach.members.get(host)?.refused ?? nobody,
    hosts({ reach: { hosts }, compiled }) {
      const all = new Set(hosts);
      for (const host of namedServers(compiled.policy)) {
        if (all.size >= hosts.size + maxNamedServers) break;
        if (host !== serverName) all.add(host);
      }
      return all;
    },
  };
}
