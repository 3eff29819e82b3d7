import { passesRooms, type RoomEventFilter } from '@portico/protocol/sync-filter/event-filter.ts';
import { rawRender } from './render.ts';
import { withoutErasedProfiles } from './erased-profiles.ts';
import { eventTest } from './event-reader.ts';
import { readSenderMembers } from './lazy-members.ts';
import { readFilledPage } from './filled-page.ts';
import type { HistoryContext, Requester } from './context.ts';
import { endOfPosition, formatPlace, parsePlaceIfGiven } from './tokens.ts';

export type MessagesRequest = {
  readonly roomId: string;
  readonly direction: 'backwards' | 'forwards';
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly limit: number | undefined;
  readonly filter: RoomEventFilter;
};

const defaultLimit = 10;
const maxLimit = 1000;

/**
 * A page of a room's timeline, as JSON text.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages}
 */
export async function readMessages(
  context: HistoryContext,
  requester: Requester,
  request: MessagesRequest,
): Promise<string> {
  const { direction, filter } = request;
  const access = await context.access.enter(requester.userId, request.roomId);
  const newest = Math.min(access.end, endOfPosition(context.db.currentPosition()));
  const start = parsePlaceIfGiven(request.from, 'from');
  const stop = parsePlaceIfGiven(request.to, 'to');
  const range =
    direction === 'backwards'
      ? { roomNid: access.roomNid, after: stop ?? -1, upTo: Math.min(start ?? newest, newest) }
      : { roomNid: access.roomNid, after: start ?? -1, upTo: Math.min(stop ?? newest, newest) };
  const page = passesRooms(filter, request.roomId)
    ? await readFilledPage(context, request.roomId, {
        range,
        direction,
        limit: Math.min(request.limit ?? defaultLimit, maxLimit),
        viewer: access.viewer,
        ignored: await context.ignored.of(requester.userId),
        test: eventTest(filter),
      })
    : { events: [], next: undefined };
  const { events } = page;
  // "If no further events are available […], this property is omitted": from the empty page alone. One with events says where
  // it ended even if that is the beginning of the room, since programs in use begin anew with a token that is missing (the
  // export of chats in Element Web, without end), and the room of who reads forwards goes on growing.
  const edge = direction === 'backwards' ? range.after : range.upTo;
  const next = page.next ?? (events.length > 0 ? edge : undefined);

  const first = start ?? (direction === 'backwards' ? newest : -1);
  let text = `{"chunk":${await rawRender(context, requester, access.roomId, events, access)},"start":"${formatPlace(first)}"`;
  if (next !== undefined) text += `,"end":"${formatPlace(next)}"`;
  const root = events[0]?.row.state_before;
  if (filter.lazyLoadMembers && typeof root === 'number') {
    const senders = events.map(({ row }) => row.sender);
    const then = await readSenderMembers(context, root, senders);
    const members = await withoutErasedProfiles(context, access.viewer, then);
    text += `,"state":${await rawRender(
      context,
      requester,
      access.roomId,
      members.map((row) => ({ row })),
    )}`;
  }
  return `${text}}`;
}
