import type { Database } from '@portico/storage';
import { readLastEndsOfJoins } from '@portico/storage/stores/rooms/memberships-read.ts';
import { readDepartures, type DepartedRoomRow } from '@portico/storage/stores/rooms/removed-rooms.ts';
import { readEvents } from '@portico/storage/stores/events/timeline.ts';
import { findHiddenEnds } from '../sync/hidden-ends.ts';
import { readShownPending } from '../sync/invites.ts';
import { settleUser } from '../sync/load-user.ts';
import type { OnlineUser, UserRoom } from '../sync/online-index.ts';
import type { SyncCore } from '../sync/sync-core.ts';
import { endOfPosition } from '../reading/tokens.ts';
import { answered } from '../reading/visibility.ts';
import type { SentRooms } from './connection-state.ts';
import { factsOf, factsOfStripped, factTypes, type RoomFacts, type RoomFactsReader } from './room-facts.ts';
import type { RoomLabels } from './room-labels.ts';
import type { FilterSources } from './room-filter.ts';
import type { Candidate } from './candidate.ts';
import type { RemovedRooms } from './removed-rooms.ts';

export type CandidateDependencies = {
  readonly core: SyncCore;
  readonly facts: RoomFactsReader;
  readonly labels: RoomLabels;
  readonly removed: RemovedRooms;
};

export type Candidates = {
  /** Whose they are: their entry as of now. */
  readonly user: OnlineUser;
  /** All of it is as of this position. */
  readonly upTo: number;
  readonly serials: ReadonlyMap<string, string>;
  readonly rooms: readonly Candidate[];
  /** What the user was told about rooms that they are invited to or knock at: JSON arrays of stripped state. */
  readonly stripped: ReadonlyMap<number, string>;
};

/** The rooms that a user may be shown, and how they stand now. */
export async function findCandidates(
  { core, removed }: CandidateDependencies,
  asking: OnlineUser,
  sent: SentRooms,
): Promise<Candidates> {
  const { db } = core.context;
  let user = await settleUser(db, core.online, asking);
  let out = await removed.of(user);
  // A membership that changed while the list was loaded.
  user = await settleUser(db, core.online, user);
  out = await removed.of(user);
  user = await settleUser(db, core.online, user);
  // Nothing is waited for from here to the list of rooms: it is that of this position.
  const upTo = db.currentPosition();
  const serials = core.serialsNow(user.userId);
  const entries = [...user.rooms.values()];
  const rooms: Candidate[] = [];
  const pending: UserRoom[] = [];
  for (const entry of entries) {
    if (entry.membership === 'join') rooms.push(joinedCandidate(entry));
    else pending.push(entry);
  }
  const inside = new Set(entries.map((entry) => entry.nid));
  const departed = new Map([...out].filter(([nid, row]) => !inside.has(nid) && row.position <= upTo));
  // Of a ban from a room that they had left, and were invited to again without seeing that, they are not told.
  const banned = Array.from(departed.values()).filter(({ membership }) => membership === 'ban');
  const unseen = await findHiddenEnds(
    core.context,
    banned.map((row) => row.room_nid),
    { userId: user.userId, since: undefined },
  );
  for (const nid of unseen) departed.delete(nid);
  for (const row of await readLost(db, user.userId, sent, inside, departed)) {
    if (row.position <= upTo) departed.set(row.room_nid, row);
  }
  for (const row of departed.values()) rooms.push(departedCandidate(row, !out.has(row.room_nid)));
  const stripped = await readShownPending(core.context, pending, user);
  const hidden: UserRoom[] = [];
  for (const entry of pending) {
    if (stripped.has(entry.nid)) rooms.push(pendingCandidate(entry));
    else if (sent.get(entry.nid)?.membership === 'join') hidden.push(entry);
  }
  for (const row of await readLeftBefore(db, user.userId, hidden)) {
    if (row.position <= upTo) rooms.push(departedCandidate(row, true));
  }
  return { user, upTo, serials, rooms, stripped };
}

/** "Rooms that the user has been in but left are only included if the room was previously sent to the client". */
function readLost(
  db: Database,
  userId: string,
  sent: SentRooms,
  inside: ReadonlySet<number>,
  departed: ReadonlyMap<number, unknown>,
): Promise<DepartedRoomRow[]> {
  const lost: number[] = [];
  for (const [nid, { membership }] of sent) {
    if (membership === undefined || membership === 'leave' || inside.has(nid) || departed.has(nid)) continue;
    lost.push(nid);
  }
  return readDepartures(db, userId, lost);
}

/** Rooms that a client has as joined, and to which the user is invited again without seeing that: as they left them. */
async function readLeftBefore(
  db: Database,
  userId: string,
  rooms: readonly UserRoom[],
): Promise<readonly DepartedRoomRow[]> {
  if (rooms.length === 0) return [];
  const ends = await readLastEndsOfJoins(db, userId);
  return rooms.flatMap(({ nid, id }) => {
    const position = ends.get(nid);
    if (position === undefined) return [];
    return [{ room_nid: nid, room_id: id, membership: 'leave', event_nid: 0, room_order: -1, position }];
  });
}

function joinedCandidate(entry: UserRoom): Candidate {
  const { nid, id, position } = entry;
  const activity = entry.room?.activity ?? position;
  return { nid, id, membership: 'join', activity, position, entry, departed: undefined, isLast: false };
}

function pendingCandidate(entry: UserRoom): Candidate {
  const { nid, id, position } = entry;
  const membership = entry.membership === 'invite' ? 'invite' : 'knock';
  return { nid, id, membership, activity: position, position, entry, departed: undefined, isLast: false };
}

function departedCandidate(row: DepartedRoomRow, isLast: boolean): Candidate {
  const { room_nid: nid, room_id: id, position } = row;
  return { nid, id, membership: 'leave', activity: position, position, entry: undefined, departed: row, isLast };
}

/** What filters look at, for the rooms of one user. */
export function filterSources(
  { core, facts, labels }: CandidateDependencies,
  user: OnlineUser,
  { rooms, stripped }: Candidates,
): FilterSources {
  let loaded: Promise<(room: Candidate) => RoomFacts | undefined> | undefined;
  async function load() {
    const joined = rooms.filter((room) => room.membership === 'join').map((room) => room.nid);
    const known = new Map(await facts.of(joined));
    for (const [nid, events] of stripped) known.set(nid, factsOfStripped(events));
    const departed = rooms.flatMap((room) => room.departed ?? []);
    for (const [nid, then] of await readFactsThen(core, departed)) known.set(nid, then);
    return (room: Candidate) => known.get(room.nid);
  }
  return {
    facts: () => (loaded ??= load()),
    direct: () => labels.direct.of(user.userId),
    tags: () => labels.tags.of(user.userId),
    children(spaces) {
      const wanted = new Set(spaces);
      const joined = rooms.filter((room) => room.membership === 'join' && wanted.has(room.id));
      return facts.children(joined.map((room) => room.nid));
    },
  };
}

/** Rooms as they were when the user was put out of them: what they are now is none of theirs. */
async function readFactsThen(
  { context: { db, roots, states } }: SyncCore,
  rooms: readonly DepartedRoomRow[],
): Promise<ReadonlyMap<number, RoomFacts>> {
  if (rooms.length === 0) return new Map();
  const places = rooms.map((row) => ({ nid: row.room_nid, place: endOfPosition(row.position) }));
  const then = await roots.at(db, places);
  const keys = factTypes.map((type) => [type, ''] as const);
  const nids = await Promise.all(
    then.map(async (root) => answered(states.getMany(await answered(states.root(root)), keys))),
  );
  const events = await readEvents(
    db,
    nids.flat().filter((nid) => nid !== undefined),
  );
  const byRoom = Map.groupBy(events, (event) => event.room_nid);
  return new Map(rooms.map((row) => [row.room_nid, factsOf(byRoom.get(row.room_nid) ?? [])]));
}
