import { bumpTypes } from '@portico/protocol/sliding-sync/bump-types.ts';
import { readCurrentMembers } from '@portico/storage/stores/current-state-read.ts';
import { readRoomCounts, type RoomCountsRow } from '@portico/storage/stores/memberships-read.ts';
import { readEvents, type ClientEventRow } from '@portico/storage/stores/timeline.ts';
import { positionAt } from '../reading/tokens.ts';
import { readerFor, type SyncContext } from '../sync/pass.ts';
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
  userId: string,
): Promise<readonly RoomFields[]> {
  const nidsOf = (some: readonly JoinedNews[]) => some.map(({ wish }) => wish.wanted.room.nid);
  const counted = nidsOf(rooms.filter(({ hasMembers, timeline }) => hasMembers || timeline?.limited === true));
  const names = rooms.map(({ changed, wish }) => fieldOf(changed, 'm.room.name', 'name', wish.before === undefined));
  const [counts, heroes] = await Promise.all([
    readRoomCounts(readerFor(context, counted.length), counted),
    readHeroesOf(context, facts, rooms, names, userId),
  ]);
  const countsOf = new Map(counts.map((row) => [row.room_nid, row]));
  return rooms.map((room, index) => {
    const { nid, position } = room.wish.wanted.room;
    const isNew = room.wish.before === undefined;
    const row = countsOf.get(nid);
    return {
      name: names[index],
      avatar: fieldOf(room.changed, 'm.room.avatar', 'url', isNew),
      heroes: heroes.get(nid),
      counts: room.hasMembers ? row : undefined,
      bumpStamp: bumpStamp(room, row, position),
    };
  });
}

/** A field of a state event: `null` where it was taken away, `undefined` where it has not changed. */
function fieldOf(
  rows: readonly ClientEventRow[],
  type: string,
  field: string,
  isNew: boolean,
): string | null | undefined {
  const row = rows.find((candidate) => candidate.type === type && candidate.state_key === '');
  const value = row && (textOf(parseObject(row.content)[field]) ?? null);
  return isNew ? (value ?? undefined) : value;
}

function bumpStamp({ wish, timeline }: JoinedNews, row: RoomCountsRow | undefined, joined: number): number | undefined {
  const last = timeline?.rows.findLast((event) => bumpTypes.has(event.type));
  if (typeof last?.room_order === 'number') return positionAt(last.room_order);
  if (row === undefined) return undefined;
  return row.bump_position > 0 ? row.bump_position : wish.before === undefined ? joined : undefined;
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
