import { defaultFilter } from '@portico/protocol/sync-filter/filter.ts';
import { readLastEndsOfJoins } from '@portico/storage/stores/rooms/memberships-read.ts';
import { readRoomsReadBy } from '@portico/storage/stores/sync/sync-read.ts';
import { withoutHiddenEnds } from '../sync/hidden-ends.ts';
import { readDepartures } from '../sync/left-rooms.ts';
import type { LazyMemory } from '../sync/lazy-memory.ts';
import type { OnlineUser } from '../sync/online-index.ts';
import { readerFor, type SyncPass } from '../sync/pass.ts';
import { readMoves } from '../sync/plan.ts';
import type { SyncCore } from '../sync/sync-core.ts';
import { userMayHave } from '../sync/stream-reads.ts';
import { totalUnread, unreadCounts } from '../unread/unread-counts.ts';
import { filterSources, findCandidates, type CandidateDependencies, type Candidates } from './candidates.ts';
import type { SentRooms } from './connection-state.ts';
import { readExtensions } from './extensions.ts';
import { readJoinedNews, type JoinedNews } from './joined-rooms.ts';
import { makeSlidingPlan, type DepartedWish, type SlidingPlan } from './plan.ts';
import type { SlidingRequest } from './request.ts';
import { roomTest } from './room-filter.ts';
import { readRoomFields } from './room-fields.ts';
import type { Candidate } from './candidate.ts';
import type { ScopeChanges } from './scoped-extension.ts';
import { sentAfter } from './sent-after.ts';
import { stickyExtension, stickyText } from './sticky-extension.ts';
import { chooseRooms, type Wanted } from './room-list.ts';
import { departedText, joinedText, pendingText } from './room-text.ts';

export type SlidingAnswer = {
  readonly upTo: number;
  readonly serials: ReadonlyMap<string, string>;
  /** Members of the response's objects, as JSON texts. */
  readonly lists: string;
  readonly rooms: readonly string[];
  readonly extensions: ReadonlyMap<string, string>;
  readonly isEmpty: boolean;
  /** Whether the answer holds everything that was asked for. */
  readonly isComplete: boolean;
  /** What it changes in what the client has. */
  readonly changes: SentRooms;
};

export type SlidingPass = {
  readonly request: SlidingRequest;
  readonly user: OnlineUser;
  readonly sent: SentRooms;
  readonly since: number | undefined;
  readonly serials: ReadonlyMap<string, string>;
  readonly extensions: string;
  readonly memory: LazyMemory;
};

/** Everything that is wanted and new between two positions. */
export async function makeSlidingAnswer(deps: CandidateDependencies, asked: SlidingPass): Promise<SlidingAnswer> {
  const { core } = deps;
  const { request, sent, since, memory } = asked;
  const { userId } = request;
  const { context } = core;
  const ignored = await context.ignored.of(userId);
  const candidates = await findCandidates(deps, asked.user, sent);
  const { user, upTo } = candidates;
  const pass = { ...asked, user };
  const sources = filterSources(deps, user, candidates);
  const wanted = await chooseRooms(request.wishes(), candidates.rooms, ({ filters }) => roomTest(filters, sources));
  const plan = await planAnswer(deps, pass, candidates, wanted);
  const syncPass = syncPassOf(pass, { upTo, ignored, now: context.now() });
  const matched = joinedAmong(wanted);
  const hidden = hiddenRooms(candidates.rooms, sent, wanted.rooms);
  const [recounted, news, departed, extensions] = await Promise.all([
    readRecounted(core, pass, wanted.rooms, hidden, upTo),
    readJoinedNews(context, plan.joined, syncPass, memory),
    readDeparted(context, plan.departed, syncPass),
    readExtensions(core, {
      request,
      user,
      since,
      upTo,
      serials: pass.serials,
      known: pass.extensions,
      wanted: wanted.rooms,
      matched,
      newRooms: newRoomsIn(plan),
      sent,
      hidden,
    }),
  ]);
  const joined = await renderJoined(deps, wanted.rooms, news, recounted, syncPass);
  const direct = await deps.labels.direct.of(userId);
  const pending = plan.pending.map((wish) => {
    const { id, nid } = wish.wanted.room;
    return `${JSON.stringify(id)}:${pendingText(wish, candidates.stripped.get(nid) ?? '[]', direct.has(id))}`;
  });
  const rooms = [...joined, ...departed, ...pending];
  const sticky = extensions.sticky && stickyText(extensions.sticky, matched, timelinesOf(news));
  const stickyTexts = sticky === undefined ? [] : [[stickyExtension, sticky.text] as const];
  const lists = Array.from(wanted.counts, ([name, count]) => `${JSON.stringify(name)}:{"count":${count}}`).join(',');
  return {
    upTo,
    serials: candidates.serials,
    lists,
    rooms,
    extensions: new Map([...extensions.texts, ...stickyTexts]),
    isEmpty: rooms.length === 0 && extensions.isEmpty && sticky?.isEmpty !== false,
    isComplete: plan.isComplete,
    changes: changesOf(plan, news, direct, pass, { ...extensions.scopes, recounted, hidden }),
  };
}

/** What parts that `/sync` has, too, are to be asked for. */
function syncPassOf(
  { request: { userId, deviceId }, since, memory }: SlidingPass,
  rest: Pick<SyncPass, 'upTo' | 'ignored' | 'now'>,
): SyncPass {
  const constant = { fullState: false, filter: defaultFilter, shape: 0, stateField: 'state_after' } as const;
  return { userId, deviceId, since, memory, ...constant, ...rest };
}

/** Of the rooms that a list or a subscription is about, those that the person is in, with their IDs. */
function joinedAmong({ matched }: Wanted): ReadonlyMap<number, string> {
  return new Map(
    Array.from(matched)
      .filter(({ membership }) => membership === 'join')
      .map(({ nid, id }) => [nid, id]),
  );
}

/** Rooms that the client has nothing of that goes on without a gap: new to it, or back after they were out of sight. */
function newRoomsIn({ returning, joined }: SlidingPlan): ReadonlySet<number> {
  const unknown = joined.filter(({ before }) => before === undefined).map(({ wanted }) => wanted.room.nid);
  return new Set([...returning, ...unknown]);
}

function timelinesOf(news: readonly JoinedNews[]): ReadonlyMap<number, ReadonlySet<number>> {
  return new Map(
    news.map(({ wish, timeline }) => [wish.wanted.room.nid, new Set(timeline?.rows.map((row) => row.event_nid))]),
  );
}

async function planAnswer(
  { core, labels }: CandidateDependencies,
  { user, sent, since }: SlidingPass,
  { rooms, upTo }: Candidates,
  wanted: Wanted,
): Promise<SlidingPlan> {
  const { db } = core.context;
  const hasMoved = since !== undefined && user.membershipPosition > since;
  const moves = hasMoved ? await readMoves(db, user.userId, since, upTo) : new Map<number, never>();
  const hasDepartures = wanted.rooms.some(({ room }) => room.membership === 'leave');
  return makeSlidingPlan(rooms, wanted, sent, {
    since,
    moves,
    ends: hasDepartures ? await readLastEndsOfJoins(db, user.userId) : new Map<number, number>(),
    direct: await labels.direct.of(user.userId),
  });
}

/** Joined rooms that the client has had without a gap, and that are not shown now. */
function hiddenRooms(
  candidates: readonly Candidate[],
  sent: SentRooms,
  wanted: Wanted['rooms'],
): ReadonlyMap<number, string> {
  const hidden = new Map<number, string>();
  if (sent.size === 0) return hidden;
  for (const { nid, id, membership } of candidates) {
    if (membership === 'join' && sent.get(nid)?.sentTo === 'live') hidden.set(nid, id);
  }
  for (const { room } of wanted) hidden.delete(room.nid);
  return hidden;
}

async function renderJoined(
  { core: { context }, facts }: CandidateDependencies,
  wanted: Wanted['rooms'],
  news: readonly JoinedNews[],
  recounted: ReadonlySet<number>,
  pass: SyncPass,
): Promise<string[]> {
  const texts: string[] = [];
  const told = new Set(news.map(({ wish }) => wish.wanted.room.nid));
  const counted = [
    ...told,
    ...wanted.map(({ room }) => room.nid).filter((nid) => !told.has(nid) && recounted.has(nid)),
  ];
  const reader = readerFor(context, counted.length);
  const [fields, unread] = await Promise.all([
    readRoomFields(context, facts, news, pass),
    counted.length === 0 ? new Map<number, never>() : unreadCounts(reader, pass.userId, counted),
  ]);
  for (const [index, room] of news.entries()) {
    const { id, nid } = room.wish.wanted.room;
    const count = unread.get(nid);
    // "The total number of unread notifications for this room. (same as sync v2)", which has those of threads in it unless a
    // client asks for them apart; and with every change, since clients take counts that are not there for none.
    const isBack = room.wish.before !== undefined && room.wish.before.sentTo !== 'live';
    const counts = { count: count && totalUnread(count), hasChanged: isBack || recounted.has(nid) };
    const text = joinedText(room, fields[index], counts, pass);
    if (text !== undefined) texts.push(`${JSON.stringify(id)}:${text}`);
  }
  for (const { room } of wanted) {
    const count = unread.get(room.nid);
    if (told.has(room.nid) || !recounted.has(room.nid) || count === undefined) continue;
    const { notificationCount, highlightCount } = totalUnread(count);
    const text = `{"notification_count":${notificationCount},"highlight_count":${highlightCount}}`;
    texts.push(`${JSON.stringify(room.id)}:${text}`);
  }
  return texts;
}

/** The rooms that the client has in which the user has read something, so that their counts are others now. */
async function readRecounted(
  core: SyncCore,
  { user, sent, since }: SlidingPass,
  wanted: Wanted['rooms'],
  hidden: ReadonlyMap<number, string>,
  upTo: number,
): Promise<ReadonlySet<number>> {
  const stream = core.context.streams.find(({ name }) => name === 'receipts');
  if (since === undefined || stream === undefined || !userMayHave(stream, user, since)) return new Set();
  const shown = wanted.filter(({ room }) => room.membership === 'join' && sent.get(room.nid)?.membership === 'join');
  const nids = [...shown.map(({ room }) => room.nid), ...hidden.keys()];
  return new Set(await readRoomsReadBy(core.context.db, user.userId, nids, { after: since, upTo }));
}

async function readDeparted(
  context: SyncCore['context'],
  wishes: readonly DepartedWish[],
  pass: SyncPass,
): Promise<string[]> {
  const texts: string[] = [];
  const groups = Map.groupBy(wishes, ({ wanted: { config } }) => `${config.limit} ${config.state.members === 'all'}`);
  for (const group of groups.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const { limit, state } = first.wanted.config;
    const { room } = defaultFilter;
    const filter = {
      ...defaultFilter,
      room: {
        ...room,
        timeline: { ...room.timeline, limit },
        state: { ...room.state, lazyLoadMembers: state.members !== 'all' },
      },
    };
    const plans = group.map(({ plan }) => plan);
    const told = await withoutHiddenEnds(context, plans, pass);
    const departures = await readDepartures(context, told, { ...pass, filter });
    for (const wish of group) {
      const departure = departures.find(({ plan }) => plan === wish.plan);
      if (departure === undefined) continue;
      texts.push(`${JSON.stringify(wish.wanted.room.id)}:${departedText(wish, departure, pass)}`);
    }
  }
  return texts;
}

type BesideRooms = ScopeChanges & {
  readonly recounted: ReadonlySet<number>;
  readonly hidden: ReadonlyMap<number, string>;
};

/** What the client has once it has the answer, where that is not what it had. */
function changesOf(
  { joined, pending, departed, paused }: SlidingPlan,
  news: readonly JoinedNews[],
  direct: ReadonlySet<string>,
  { sent, since }: SlidingPass,
  { missed, caughtUp, recounted, hidden }: BesideRooms,
): SentRooms {
  const changes = new Map(paused);
  for (const nid of hidden.keys()) {
    const known = changes.get(nid) ?? sent.get(nid);
    if (known?.sentTo === 'live' && since !== undefined && recounted.has(nid)) {
      changes.set(nid, { ...known, sentTo: since });
    }
  }
  for (const [index, wish] of joined.entries()) {
    const after = sentAfter(wish, news[index]);
    if (after !== wish.before) changes.set(wish.wanted.room.nid, after);
  }
  for (const { wanted } of [...pending, ...departed]) {
    const { room, config } = wanted;
    const { limit, state } = config;
    changes.set(room.nid, {
      sentTo: 'live',
      limit,
      membership: room.membership,
      isDm: direct.has(room.id),
      state,
      behind: '',
    });
  }
  for (const nid of new Set([...missed.keys(), ...caughtUp.keys()])) {
    const known = changes.get(nid) ?? sent.get(nid);
    if (known === undefined) continue;
    const before = new Set(known.behind);
    const behind = before.difference(new Set(caughtUp.get(nid))).union(new Set(missed.get(nid)));
    if (before.symmetricDifference(behind).size > 0) changes.set(nid, { ...known, behind: [...behind].join('') });
  }
  return changes;
}
