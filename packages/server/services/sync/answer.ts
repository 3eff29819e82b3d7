import { stickyField } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { totalUnread, unreadCounts, type RoomUnread, type UnreadCount } from '../unread/unread-counts.ts';
import { formatPlace, endOfPosition } from '../reading/tokens.ts';
import type { Batches } from './batches.ts';
import { readPendingRooms } from './invites.ts';
import { withoutHiddenEnds } from './hidden-ends.ts';
import { readJoinedRooms } from './joined-rooms.ts';
import { readLeftRooms } from './left-rooms.ts';
import type { OnlineUser } from './online-index.ts';
import { readerFor, type SyncContext, type SyncPass } from './pass.ts';
import { makePlan } from './plan.ts';
import { besideTimeline, type JoinedRoom } from './room-text.ts';
import { readStreams, type Gathered } from './stream-reads.ts';
import type { RoomParts, SyncStream } from './streams.ts';

export type Answer = {
  /** The members of the response but `next_batch`, each with a comma before it. */
  readonly text: string;
  readonly isEmpty: boolean;
  /** What the next token says of streams, by their letters, where it is not what it was when the answer was begun. */
  readonly serials: ReadonlyMap<string, string>;
};

export type AnswerContext = SyncContext & {
  readonly batches: Batches;
  readonly streams: readonly SyncStream[];
};

/** Everything that is new to a client between two positions. */
export async function makeAnswer(
  context: AnswerContext,
  user: OnlineUser,
  pass: SyncPass,
  serials: ReadonlyMap<string, string>,
): Promise<Answer> {
  const plan = await makePlan(context.db, user, pass);
  const [joined, gathered, invited, knocked, left] = await Promise.all([
    readJoinedRooms(context, context.batches, plan.joined, pass),
    readStreams(context, context.streams, user, plan.joined, pass, serials),
    readPendingRooms(context, plan.invited, 'invite_state', pass),
    readPendingRooms(context, plan.knocked, 'knock_state', pass),
    withoutHiddenEnds(context, plan.left, pass).then((left) => readLeftRooms(context, left, pass)),
  ]);
  for (const { entry } of plan.joined) {
    if (joined.has(entry.nid) || !gathered.rooms.has(entry.nid)) continue;
    joined.set(entry.nid, { id: entry.id, events: undefined, shown: nothing, summary: undefined });
  }
  const joinedTexts = await renderJoined(context, joined, gathered, pass);

  let rooms = '';
  for (const [section, members] of [
    ['join', joinedTexts],
    ['invite', invited],
    ['knock', knocked],
    ['leave', left],
  ] as const) {
    if (members.length > 0) rooms += `${rooms === '' ? '' : ','}"${section}":{${members.join(',')}}`;
  }
  let text = rooms === '' ? '' : `,"rooms":{${rooms}}`;
  if (gathered.accountData.length > 0) text += `,"account_data":{"events":[${gathered.accountData.join(',')}]}`;
  const isEmpty = text === '' && gathered.fields.size === 0;
  text += await alwaysText(context.streams, pass);
  return { text: text + membersText(gathered.fields), isEmpty, serials: gathered.serials };
}

/** What streams say in every response, each member with a comma before it. */
export async function alwaysText(
  streams: readonly SyncStream[],
  { userId, deviceId }: Pick<SyncPass, 'userId' | 'deviceId'>,
): Promise<string> {
  let text = '';
  for (const { always } of streams) if (always !== undefined) text += membersText(await always({ userId, deviceId }));
  return text;
}

/** Members of a JSON object, each with a comma before it. */
function membersText(fields: ReadonlyMap<string, string> | undefined): string {
  let text = '';
  for (const [name, value] of fields ?? []) text += `,"${name}":${value}`;
  return text;
}

async function renderJoined(
  context: SyncContext,
  joined: ReadonlyMap<number, JoinedRoom>,
  gathered: Gathered,
  pass: SyncPass,
): Promise<readonly string[]> {
  // A list of who is typing, or of who has read what, changes nobody else's counts.
  const counted = [...joined].filter(([nid, room]) => room.events !== undefined || gathered.rooms.get(nid)?.recount);
  const unread = await readUnread(
    readerFor(context, counted.length),
    pass.userId,
    counted.map(([nid]) => nid),
  );
  const texts: string[] = [];
  for (const [nid, room] of joined) {
    texts.push(renderRoom(room, gathered.rooms.get(nid), unread.get(nid), pass));
  }
  return texts;
}

async function readUnread(
  reader: Reader,
  userId: string,
  nids: readonly number[],
): Promise<ReadonlyMap<number, RoomUnread>> {
  return nids.length === 0 ? new Map() : unreadCounts(reader, userId, nids);
}

function renderRoom(
  { id, events, shown, summary }: JoinedRoom,
  parts: RoomParts | undefined,
  unread: RoomUnread | undefined,
  pass: SyncPass,
): string {
  let text = `${JSON.stringify(id)}:{${events ?? noEvents(pass)}`;
  text += `,"account_data":{"events":[${parts?.accountData?.join(',') ?? ''}]}`;
  text += `,"ephemeral":{"events":[${parts?.ephemeral?.join(',') ?? ''}]}`;
  const sticky = besideTimeline(parts?.sticky, shown);
  if (sticky.length > 0) text += `,"${stickyField}":{"events":[${sticky.join(',')}]}`;
  if (unread !== undefined) text += unreadText(unread, pass.filter.room.timeline.unreadThreadNotifications);
  if (summary !== undefined) text += `,"summary":${summary}`;
  return `${text}}`;
}

const nothing: ReadonlySet<number> = new Set();

function noEvents({ upTo, stateField }: SyncPass): string {
  const place = formatPlace(endOfPosition(upTo));
  return `"timeline":{"events":[],"limited":false,"prev_batch":"${place}"},"${stateField}":{"events":[]}`;
}

function unreadText(unread: RoomUnread, perThread: boolean): string {
  if (!perThread) return `,"unread_notifications":${countText(totalUnread(unread))}`;
  const threads: string[] = [];
  for (const [root, count] of unread.threads) threads.push(`${JSON.stringify(root)}:${countText(count)}`);
  return (
    `,"unread_notifications":${countText(unread.main)},"unread_thread_notifications":{${threads.join(',')}}` +
    `,"org.matrix.msc3773.unread_thread_notifications":{${threads.join(',')}}`
  );
}

function countText({ highlightCount, notificationCount }: UnreadCount): string {
  return `{"highlight_count":${highlightCount},"notification_count":${notificationCount}}`;
}
