import { defaultRoomEventFilter, parseRoomEventFilter } from '@portico/protocol/sync-filter/filter.ts';
import type { RoomEventFilter } from '@portico/protocol/sync-filter/event-filter.ts';
import type { JsonObject } from '@portico/protocol';
import { queryWords } from '@portico/protocol/words.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/** What a client asks for under `room_events`. */
export type RoomEventsCriteria = {
  readonly search_term: string;
  readonly keys?: readonly string[];
  readonly filter?: JsonObject;
  readonly order_by?: 'recent' | 'rank';
  readonly event_context?: {
    readonly before_limit?: number;
    readonly after_limit?: number;
    readonly include_profile?: boolean;
  };
  readonly include_state?: boolean;
  readonly groupings?: { readonly group_by?: readonly { readonly key?: GroupKey }[] };
};

export type GroupKey = 'room_id' | 'sender';

/** Those of the results that have something in common. */
export type SearchGroup = { readonly key: GroupKey; readonly value: string };

/** Where a page starts: after the best so many, or before an event; and the group that it is of, if it is of one. */
export type SearchPlace = ({ readonly offset: number } | { readonly before: number }) & {
  readonly group?: SearchGroup | undefined;
};

export type SearchRequest = {
  readonly words: readonly string[];
  /** `undefined` for all of them. */
  readonly parts: readonly string[] | undefined;
  readonly filter: RoomEventFilter;
  readonly limit: number;
  readonly order: 'recent' | 'rank';
  readonly place: SearchPlace | undefined;
  readonly context: { readonly before: number; readonly after: number; readonly withProfiles: boolean } | undefined;
  readonly withState: boolean;
  readonly groups: ReadonlySet<GroupKey>;
};

const partOfKey: ReadonlyMap<string, string> = new Map([
  ['content.body', 'body'],
  ['content.name', 'name'],
  ['content.topic', 'topic'],
]);
const defaultLimit = 10;
const maxLimit = 100;
const defaultContext = 5;
const maxContext = 20;

export function parseSearchRequest(criteria: RoomEventsCriteria, nextBatch: string | undefined): SearchRequest {
  const { event_context: context, order_by: order = 'rank' } = criteria;
  const filter = parseFilter(criteria.filter);
  const neighbours = (wanted: number | undefined) => Math.min(Math.max(wanted ?? defaultContext, 0), maxContext);
  return {
    words: queryWords(criteria.search_term),
    parts: criteria.keys?.flatMap((key) => partOfKey.get(key) ?? []),
    filter,
    limit: Math.min(Math.max(filter.limit ?? defaultLimit, 1), maxLimit),
    order,
    place: nextBatch === undefined ? undefined : parsePlace(nextBatch, order),
    context: context && {
      before: neighbours(context.before_limit),
      after: neighbours(context.after_limit),
      withProfiles: context.include_profile === true,
    },
    withState: criteria.include_state === true,
    groups: new Set((criteria.groupings?.group_by ?? []).flatMap(({ key }) => key ?? [])),
  };
}

function parseFilter(json: JsonObject | undefined): RoomEventFilter {
  if (json === undefined) return defaultRoomEventFilter;
  const parsed = parseRoomEventFilter(json);
  if (parsed.problem === undefined) return parsed.filter;
  throw new MatrixError('request.invalid-param', { message: `The filter is not valid: ${parsed.problem}.` });
}

export function formatSearchPlace(place: SearchPlace): string {
  const start = 'offset' in place ? `o1_${place.offset}` : `b1_${place.before}`;
  if (place.group === undefined) return start;
  return `${start}_${place.group.key}_${Buffer.from(place.group.value).toString('base64url')}`;
}

function parsePlace(text: string, order: 'recent' | 'rank'): SearchPlace {
  const [, kind, number, key, value = ''] =
    /^([ob])1_(0|[1-9][0-9]{0,14})(?:_(room_id|sender)_([\w-]+))?$/.exec(text) ?? [];
  const isKey = key === 'room_id' || key === 'sender';
  const group: SearchGroup | undefined = isKey ? { key, value: Buffer.from(value, 'base64url').toString() } : undefined;
  if (kind === 'o' && order === 'rank') return { offset: Number(number), group };
  if (kind === 'b' && order === 'recent') return { before: Number(number), group };
  throw new MatrixError('request.invalid-param', { message: "'next_batch' is not a token of this search." });
}
