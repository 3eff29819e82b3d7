import type { FieldReader } from './field-reader.ts';
import { matchesGlob, parseGlob, type Glob } from './glob.ts';

/** {@link https://spec.matrix.org/v1.19/client-server-api/#filtering} */
export type EventFilter = {
  /** The spec wants more than 0. Clients that need no events of a kind ask for 0, and other servers do as they say. */
  readonly limit: number | undefined;
  readonly types: readonly Glob[] | undefined;
  readonly notTypes: readonly Glob[];
  readonly senders: ReadonlySet<string> | undefined;
  readonly notSenders: ReadonlySet<string>;
};

export type RoomEventFilter = EventFilter & {
  readonly rooms: ReadonlySet<string> | undefined;
  readonly notRooms: ReadonlySet<string>;
  readonly containsUrl: boolean | undefined;
  /** Only events that relate to others in one of these ways; {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3874} */
  readonly relTypes: ReadonlySet<string> | undefined;
  readonly notRelTypes: ReadonlySet<string>;
  readonly lazyLoadMembers: boolean;
  readonly includeRedundantMembers: boolean;
  readonly unreadThreadNotifications: boolean;
};

/** As much of an event as a filter looks at; a `sender` of `undefined` is that of things nobody sent. */
export type FilteredEvent = { readonly type: string; readonly sender: string | undefined };

export function readEventFilter(fields: FieldReader): EventFilter {
  const senders = fields.ids('senders', '@');
  return {
    limit: fields.count('limit'),
    types: fields.strings('types')?.map(parseGlob),
    notTypes: (fields.strings('not_types') ?? []).map(parseGlob),
    senders: senders === undefined ? undefined : new Set(senders),
    notSenders: new Set(fields.ids('not_senders', '@')),
  };
}

export function readRoomEventFilter(fields: FieldReader): RoomEventFilter {
  const rooms = fields.ids('rooms', '!');
  const relTypes = fields.strings('org.matrix.msc3874.rel_types');
  return {
    ...readEventFilter(fields),
    rooms: rooms === undefined ? undefined : new Set(rooms),
    notRooms: new Set(fields.ids('not_rooms', '!')),
    containsUrl: fields.flag('contains_url'),
    relTypes: relTypes === undefined ? undefined : new Set(relTypes),
    notRelTypes: new Set(fields.strings('org.matrix.msc3874.not_rel_types')),
    lazyLoadMembers: fields.flag('lazy_load_members') ?? false,
    includeRedundantMembers: fields.flag('include_redundant_members') ?? false,
    unreadThreadNotifications: fields.flag('unread_thread_notifications') ?? false,
  };
}

/** What a filter can ask of an event's content. */
export type ContentFilter = EventFilter & Partial<Pick<RoomEventFilter, 'containsUrl' | 'relTypes' | 'notRelTypes'>>;

/** Whether no event can fail it, whatever its type, sender and content. */
export function passesEverything(filter: ContentFilter): boolean {
  return (
    !looksAtRelations(filter) &&
    filter.types === undefined &&
    filter.notTypes.length === 0 &&
    filter.senders === undefined &&
    filter.notSenders.size === 0 &&
    filter.containsUrl === undefined
  );
}

/** Whether no event can pass it: an empty list of types is how clients turn a section off. */
export function passesNothing(filter: ContentFilter): boolean {
  return filter.types?.length === 0 || filter.senders?.size === 0 || filter.relTypes?.size === 0;
}

export function looksAtRelations({ relTypes, notRelTypes }: ContentFilter): boolean {
  return relTypes !== undefined || (notRelTypes !== undefined && notRelTypes.size > 0);
}

/** `relType`: in which way the event relates to another one, if it does. */
export function passesRelations({ relTypes, notRelTypes }: ContentFilter, relType: string | undefined): boolean {
  if (relType === undefined) return relTypes === undefined;
  return relTypes?.has(relType) !== false && notRelTypes?.has(relType) !== true;
}

export function passesEventFilter(filter: EventFilter, { type, sender }: FilteredEvent): boolean {
  if (filter.types !== undefined && !filter.types.some((glob) => matchesGlob(glob, type))) return false;
  if (filter.notTypes.some((glob) => matchesGlob(glob, type))) return false;
  if (sender === undefined) return filter.senders === undefined;
  if (filter.senders !== undefined && !filter.senders.has(sender)) return false;
  return !filter.notSenders.has(sender);
}

export function passesRooms(
  filter: { readonly rooms: ReadonlySet<string> | undefined; readonly notRooms: ReadonlySet<string> },
  roomId: string,
): boolean {
  return (filter.rooms === undefined || filter.rooms.has(roomId)) && !filter.notRooms.has(roomId);
}
