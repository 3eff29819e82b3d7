import { bumpTypes } from '@portico/protocol/sliding-sync/bump-types.ts';
import { readCurrentMembers } from '@portico/storage/stores/rooms/current-state-read.ts';
import { readLastActivity } from '@portico/storage/stores/accounts/last-activity.ts';
import { readRoomCounts, type RoomCountsRow } from '@portico/storage/stores/rooms/memberships-read.ts';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/events/timeline.ts';
import { positionAt } from '../reading/tokens.ts';
import { withoutIgnored } from '../sync/batches.ts';
import { readerFor, type SyncContext, type SyncPass } from '../sync/pass.ts';
import { readHeroes } from '../sync/summaries.ts';
import type { JoinedNews } from './joined-rooms.ts';
import { parseObject, textOf, type RoomFactsReader } from './room-facts.ts';

/** What is told of a joined room besides its events; what is `undefined` has not changed, or is not there. */
export type RoomFields = {
  readonly name: string | null | undefined;
  readonly avatar: string | null | undefined;
  readonly heroes: readonly Hero[] | undefined;
  readonly counts: RoomCountsRow | undefined;
  readonly bumpStamp: number | undefined;
};

export type Hero = { readonly user_id: string; readonly displayname?: string; readonly avatar_url?: string };

export async function readRoomFields(
  context: SyncContext,
  facts: RoomFactsReader,
  rooms: readonly JoinedNews[],
  { userId, ignored }: Pick<SyncPass, 'userId' | 'ignored'>,
): Promise<readonly RoomFields[]> {
  const nidsOf = (some: readonly JoinedNews[]) => some.map(({ wish }) => wish.wanted.room.nid);
  const all = rooms.filter((room) => room.hasMembers || room.timeline?.limited === true || isUnseen(room));
  const counted = nidsOf(all);
  const silent = ignored.size === 0 ? [] : all.filter((room) => activityIn(room, ignored) === undefined);
  const names = rooms.map((room) => fieldOf(room, 'm.room.name', 'name'));
  const reader = readerFor(context, counted.length);
  const [counts, heard, heroes] = await Promise.all([
    readRoomCounts(reader, counted),
    readLastActivity(reader, nidsOf(silent), bumpTypes, ignored),
    readHeroesOf(context, facts, rooms, names, userId),
  ]);
  const countsOf = new Map(counts.map((row) => [row.room_nid, row]));
  return rooms.map((room, index) => {
    const { nid } = room.wish.wanted.room;
    const row = countsOf.get(nid);
    return {
      name: names[index],
      avatar: fieldOf(room, 'm.room.avatar', 'url'),
      heroes: heroes.get(nid),
      counts: room.hasMembers ? row : undefined,
      bumpStamp: bumpStamp(room, row, ignored, heard),
    };
  });
}

/**
 * A field of a state event: `undefined` where it has not changed, `null` where it was taken away.
 *
 * "`null` if room name has been removed", "`null` if avatar has been removed": by another event, by a redaction, or since the
 * state has no such entry any more.
 */
function fieldOf({ changed, lost, wish }: JoinedNews, type: string, field: string): string | null | undefined {
  const isIt = (row: ClientEventRow) => row.type === type && row.state_key === '';
  const row = changed.find(isIt);
  const value = row === undefined ? undefined : textOf(parseObject(row.content)[field]);
  if (value !== undefined || wish.before === undefined) return value;
  return row !== undefined || lost.some(isIt) ? null : undefined;
}

/** When something last happened that counts as activity, where that may be new. What ignored people say does not count. */
function bumpStamp(
  room: JoinedNews,
  row: RoomCountsRow | undefined,
  ignored: ReadonlySet<string>,
  heard: ReadonlyMap<number, number>,
): number | undefined {
  const shown = activityIn(room, ignored);
  if (shown !== undefined || row === undefined) return shown;
  const activity = ignored.size === 0 ? row.bump_position : positionAt(heard.get(row.room_nid) ?? 0);
  const { before, from, wanted } = room.wish;
  if (activity === 0) return before === undefined ? wanted.room.position : undefined;
  return isUnseen(room) && activity <= from ? undefined : activity;
}

function activityIn({ timeline }: JoinedNews, ignored: ReadonlySet<string>): number | undefined {
  const last = withoutIgnored(timeline?.rows ?? [], ignored).findLast((event) => bumpTypes.has(event.type));
  return typeof last?.room_order === 'number' ? positionAt(last.room_order) : undefined;
}

/** Whether there may be something new of which the client wants to see no event. */
function isUnseen({ wish: { before, hasNews, wanted } }: JoinedNews): boolean {
  return before !== undefined && hasNews && wanted.config.limit === 0;
}

/** "Heroes are only included if the room name is not set." */
async function readHeroesOf(
  context: SyncContext,
  facts: RoomFactsReader,
  rooms: readonly JoinedNews[],
  names: readonly (string | null | undefined)[],
  userId: string,
): Promise<ReadonlyMap<number, readonly Hero[]>> {
  const known = rooms.filter(({ hasMembers, wish }) => hasMembers && wish.before !== undefined);
  const factsOf = await facts.of(known.map(({ wish }) => wish.wanted.room.nid));
  const nameless = rooms.filter(({ hasMembers, wish }, index) => {
    const name = names[index];
    if (wish.before === undefined) return name === undefined;
    const hasName = name === undefined ? factsOf.get(wish.wanted.room.nid)?.name !== undefined : name !== null;
    return !hasName && (hasMembers || name === null);
  });
  if (nameless.length === 0) return new Map();
  const heroes = await readHeroes(
    context,
    nameless.map(({ wish }) => wish.wanted.room.nid),
    userId,
  );
  const pairs = Array.from(heroes, ([nid, users]) => users.map((user) => [nid, user] as const)).flat();
  const reader = readerFor(context, nameless.length);
  const current = await readCurrentMembers(reader, pairs);
  const events = await readEvents(
    reader,
    current.map((row) => row.event_nid),
  );
  const members = new Map(events.map((event) => [`${event.room_nid} ${event.state_key}`, event]));
  return new Map(
    Array.from(heroes, ([nid, users]) => [nid, users.map((user) => toHero(user, members.get(`${nid} ${user}`)))]),
  );
}

function toHero(userId: string, member: ClientEventRow | undefined): Hero {
  const content = member === undefined ? {} : parseObject(member.content);
  const name = textOf(content['displayname']);
  const avatar = textOf(content['avatar_url']);
  return {
    user_id: userId,
    ...(name !== undefined && { displayname: name }),
    ...(avatar !== undefined && { avatar_url: avatar }),
  };
}
