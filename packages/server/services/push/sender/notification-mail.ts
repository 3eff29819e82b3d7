import { type MailContent, type Paragraph, writeMail } from '../../mail/message.ts';
import { shownName } from '../../mail/shown-name.ts';

export type NamedSender = { readonly userId: string; readonly name: string | undefined };

/** What there is in a room for somebody who has not read it. */
export type RoomNews = {
  /** As far as the room has a name. */
  readonly room: string | undefined;
  readonly isInvite: boolean;
  /** Each once. */
  readonly senders: readonly NamedSender[];
  readonly count: number;
};

const mostRooms = 20;
const mostSenders = 3;
const longestName = 60;

/** Says where there is something from whom. What was said stays on the server: email may be read by others on its way. */
export function notificationMail(
  serverName: string,
  userId: string,
  news: readonly RoomNews[],
  unsubscribe: string,
): MailContent {
  const more = news.length - mostRooms;
  const paragraphs: Paragraph[] = [
    `There is something that you have not read on ${serverName}, as ${userId}:`,
    ...news.slice(0, mostRooms).map(lineFor),
    ...(more > 0 ? [`And in ${more} more ${more === 1 ? 'room' : 'rooms'}.`] : []),
    'If you do not want to be written to about this any more, follow this link:',
    { link: unsubscribe },
  ];
  return { ...writeMail(subjectFor(serverName, news), paragraphs), unsubscribe };
}

function subjectFor(serverName: string, news: readonly RoomNews[]): string {
  const [first] = news;
  if (news.length !== 1 || first === undefined) return `Unread messages in ${news.length} rooms on ${serverName}`;
  if (first.isInvite) return `${listOf(first.senders.slice(0, 1))} has invited you on ${serverName}`;
  return `Unread messages from ${listOf(first.senders)} on ${serverName}`;
}

function lineFor({ room, isInvite, senders, count }: RoomNews): string {
  const place = (room === undefined ? undefined : shownName(room, longestName)) ?? 'a room without a name';
  if (isInvite) return `${listOf(senders)} invited you to ${place}.`;
  return `${place}: ${count} ${count === 1 ? 'message' : 'messages'} from ${listOf(senders)}.`;
}

function listOf(senders: readonly NamedSender[]): string {
  const named = senders
    .slice(0, mostSenders)
    .map(({ userId, name }) => shownName(name ?? '', longestName) ?? shownName(userId, longestName) ?? userId);
  const rest = senders.length - named.length;
  return rest === 0 ? named.join(', ') : `${named.join(', ')} and ${rest} more`;
}
