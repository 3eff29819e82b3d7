import { parseRoomEventFilter, defaultRoomEventFilter } from '@portico/protocol/sync-filter/filter.ts';
import type { RoomEventFilter } from '@portico/protocol/sync-filter/event-filter.ts';
import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { parseFilterText } from '../../../services/sync/filters.ts';

export const roomParams = Type.Object({ roomId: Type.String() });
export const eventParams = Type.Object({ roomId: Type.String(), eventId: Type.String() });

/** An event as clients get it; what it may say depends on its type. */
export const clientEvent = Type.Object(
  {
    content: Type.Object({}),
    event_id: Type.String(),
    origin_server_ts: Type.Integer(),
    room_id: Type.String(),
    sender: Type.String(),
    state_key: Type.Optional(Type.String()),
    type: Type.String(),
    unsigned: Type.Optional(Type.Object({})),
    msc4354_sticky: Type.Optional(Type.Object({ duration_ms: Type.Integer() })),
  },
  { title: 'ClientEvent' },
);

/** Reads the `filter` parameter of an endpoint that reads one room. */
export function roomEventFilter(text: string | undefined): RoomEventFilter {
  if (text === undefined || text === '') return defaultRoomEventFilter;
  const parsed = parseRoomEventFilter(parseFilterText(text));
  if (parsed.problem === undefined) return parsed.filter;
  throw new MatrixError('request.invalid-param', { message: `The filter is not valid: ${parsed.problem}.` });
}
