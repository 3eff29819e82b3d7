import type { JsonObject } from '../json/value.ts';
import { type EventFields, parseEventFields } from './event-fields.ts';
import { readEventFilter, readRoomEventFilter, type EventFilter, type RoomEventFilter } from './event-filter.ts';
import { createFieldReader, type FieldReader, type Problems } from './field-reader.ts';

export type RoomFilter = {
  readonly rooms: ReadonlySet<string> | undefined;
  readonly notRooms: ReadonlySet<string>;
  readonly includeLeave: boolean;
  readonly timeline: RoomEventFilter;
  readonly state: RoomEventFilter;
  readonly ephemeral: RoomEventFilter;
  readonly accountData: RoomEventFilter;
};

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter} */
export type Filter = {
  /** Every field of an event if absent. */
  readonly eventFields: EventFields | undefined;
  readonly eventFormat: 'client' | 'federation';
  readonly presence: EventFilter;
  readonly accountData: EventFilter;
  readonly room: RoomFilter;
};

/** A filter, or in words what is wrong with it. */
export type ParsedFilter<T> = { readonly filter: T; readonly problem?: never } | { readonly problem: string };

export function parseFilter(json: JsonObject): ParsedFilter<Filter> {
  return parse(json, (fields) => ({
    eventFields: readEventFields(fields.strings('event_fields')),
    eventFormat: fields.oneOf('event_format', ['client', 'federation']) ?? 'client',
    presence: readEventFilter(fields.object('presence')),
    accountData: readEventFilter(fields.object('account_data')),
    room: readRoomFilter(fields.object('room')),
  }));
}

function readEventFields(texts: readonly string[] | undefined): EventFields | undefined {
  return texts && parseEventFields(texts);
}

/** The filter of `/messages` and `/context`. */
export function parseRoomEventFilter(json: JsonObject): ParsedFilter<RoomEventFilter> {
  return parse(json, readRoomEventFilter);
}

function parse<T>(json: JsonObject, read: (fields: FieldReader) => T): ParsedFilter<T> {
  const problems: Problems = { first: undefined };
  const filter = read(createFieldReader(json, '', problems));
  return problems.first === undefined ? { filter } : { problem: problems.first };
}

function readRoomFilter(fields: FieldReader): RoomFilter {
  const rooms = fields.ids('rooms', '!');
  return {
    rooms: rooms === undefined ? undefined : new Set(rooms),
    notRooms: new Set(fields.ids('not_rooms', '!')),
    includeLeave: fields.flag('include_leave') ?? false,
    timeline: readRoomEventFilter(fields.object('timeline')),
    state: readRoomEventFilter(fields.object('state')),
    ephemeral: readRoomEventFilter(fields.object('ephemeral')),
    accountData: readRoomEventFilter(fields.object('account_data')),
  };
}

function emptyFilter<T>(parsed: ParsedFilter<T>): T {
  if (parsed.problem !== undefined) throw new Error(parsed.problem);
  return parsed.filter;
}

export const defaultFilter: Filter = emptyFilter(parseFilter({}));
export const defaultRoomEventFilter: RoomEventFilter = emptyFilter(parseRoomEventFilter({}));
