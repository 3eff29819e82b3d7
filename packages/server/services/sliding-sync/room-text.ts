import type { UnreadCount } from '../unread/unread-counts.ts';
import { formatPlace } from '../reading/tokens.ts';
import { withoutIgnored } from '../sync/batches.ts';
import { departureStyle, type Departure } from '../sync/left-rooms.ts';
import type { SyncPass } from '../sync/pass.ts';
import { renderEvents } from '../sync/render.ts';
import { requires } from '@portico/protocol/sliding-sync/required-state.ts';
import type { JoinedNews } from './joined-rooms.ts';
import { countLive, plainForm, stateText } from './event-texts.ts';
import type { DepartedWish, PendingWish } from './plan.ts';
import { labelsOfStripped } from './room-facts.ts';
import type { RoomFields } from './room-fields.ts';

/** Members of a room's object, by their names: JSON texts, or `undefined` for what is not told. */
type Members = Readonly<Record<string, string | undefined>>;

function object(members: Members): string {
  const parts: string[] = [];
  for (const [name, text] of Object.entries(members)) if (text !== undefined) parts.push(`"${name}":${text}`);
  return `{${parts.join(',')}}`;
}

const flag = (value: boolean): string | undefined => (value ? 'true' : undefined);
const json = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value));

/** A room that the user is in; `undefined` if there is nothing to say. */
export function joinedText(
  { wish, timeline, isExpanded, required, gone, redactions }: JoinedNews,
  fields: RoomFields | undefined,
  unread: { readonly count: UnreadCount | undefined; readonly hasChanged: boolean },
  pass: SyncPass,
): string | undefined {
  const { before, isDm } = wish;
  const dmChanged = before === undefined ? isDm : before.isDm !== isDm;
  const isNew = before === undefined;
  const hasState = required.length > 0 || gone.length > 0;
  const { count } = unread;
  const { name, avatar, counts, bumpStamp } = fields ?? {};
  const hasFields = [name, avatar, counts, bumpStamp].some((field) => field !== undefined);
  if (!isNew && timeline === undefined && !hasState && !hasFields && !unread.hasChanged && !dmChanged) return undefined;
  return object({
    initial: flag(isNew),
    name: json(name),
    avatar: json(avatar),
    heroes: fields?.heroes?.length === 0 ? undefined : json(fields?.heroes),
    is_dm: dmChanged ? String(isDm) : undefined,
    bump_stamp: json(bumpStamp),
    joined_count: json(counts?.joined_count),
    invited_count: json(counts?.invited_count),
    notification_count: json(count?.notificationCount),
    highlight_count: json(count?.highlightCount),
    required_state: hasState ? stateText(required, gone, redactions, pass.now) : undefined,
    ...(timeline && {
      unstable_expanded_timeline: flag(isExpanded),
      timeline: `[${timeline.text}]`,
      limited: String(timeline.limited),
      prev_batch: `"${formatPlace(timeline.start)}"`,
      num_live: String(countLive(withoutIgnored(timeline.rows, pass.ignored), pass.since)),
    }),
  });
}

/** A room that the user is invited to, or knocks at. */
export function pendingText({ wanted: { room } }: PendingWish, stripped: string, isDm: boolean): string {
  const { name, avatar } = labelsOfStripped(stripped);
  return object({
    initial: 'true',
    name: json(name),
    avatar: json(avatar),
    is_dm: flag(isDm),
    bump_stamp: String(room.position),
    invite_state: stripped,
  });
}

/** A room that the user is no longer in, as it was then. */
export function departedText({ wanted, before }: DepartedWish, departure: Departure, pass: SyncPass): string {
  const { timeline, state, redactions, plan } = departure;
  const { config, room } = wanted;
  const required = state.filter(
    (row) =>
      row.event_nid === plan.eventNid ||
      requires(config.state, row.type, row.state_key ?? '') ||
      (config.state.members === 'lazy' && row.type === 'm.room.member'),
  );
  const shown = withoutIgnored(timeline.rows, pass.ignored);
  const events = renderEvents(shown, plainForm, departureStyle(departure, pass));
  return object({
    initial: flag(before?.membership !== 'join'),
    bump_stamp: String(room.position),
    required_state: required.length === 0 ? undefined : stateText(required, [], redactions, pass.now),
    timeline: `[${events}]`,
    limited: String(timeline.limited),
    prev_batch: `"${formatPlace(timeline.start)}"`,
    num_live: String(countLive(shown, pass.since)),
  });
}
