import { Type } from 'typebox';
import type { Search } from '../../../services/search/search.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { jsonObject, pageToken } from '../../schemas.ts';
import { clientEvent } from '../reading/schemas.ts';

const groupKey = Type.Union([Type.Literal('room_id'), Type.Literal('sender')]);

const criteria = Type.Object(
  {
    search_term: Type.String(),
    keys: Type.Optional(Type.Array(Type.String())),
    filter: Type.Optional(jsonObject),
    order_by: Type.Optional(Type.Union([Type.Literal('recent'), Type.Literal('rank')])),
    event_context: Type.Optional(
      Type.Object({
        before_limit: Type.Optional(Type.Integer()),
        after_limit: Type.Optional(Type.Integer()),
        include_profile: Type.Optional(Type.Boolean()),
      }),
    ),
    include_state: Type.Optional(Type.Boolean()),
    groupings: Type.Optional(
      Type.Object({ group_by: Type.Optional(Type.Array(Type.Object({ key: Type.Optional(groupKey) }))) }),
    ),
  },
  { title: 'RoomEventsCriteria' },
);

const result = Type.Object({
  rank: Type.Number(),
  result: clientEvent,
  context: Type.Optional(
    Type.Object({
      start: Type.String(),
      end: Type.String(),
      events_before: Type.Array(clientEvent),
      events_after: Type.Array(clientEvent),
      profile_info: Type.Optional(Type.Record(Type.String(), jsonObject)),
    }),
  ),
});

const roomEvents = Type.Object(
  {
    count: Type.Integer(),
    highlights: Type.Array(Type.String()),
    results: Type.Array(result),
    next_batch: Type.Optional(Type.String()),
    groups: Type.Optional(jsonObject),
    state: Type.Optional(Type.Record(Type.String(), Type.Array(clientEvent))),
  },
  { title: 'RoomEventsFound' },
);

export const search = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/search',
    operationId: 'search',
    summary: 'Perform a server-side search',
    auth: 'user',
    rateLimit: 'search',
    query: Type.Object({ next_batch: pageToken }),
    body: Type.Object(
      { search_categories: Type.Object({ room_events: Type.Optional(criteria) }) },
      { title: 'SearchRequest' },
    ),
    response: Type.Object(
      { search_categories: Type.Object({ room_events: Type.Optional(roomEvents) }) },
      { title: 'SearchResults' },
    ),
  },
  ({ search: service }: { search: Search }) =>
    async ({ sender, query, body }) => {
      const { room_events: criteria } = body.search_categories;
      if (criteria === undefined) return { search_categories: {} };
      const found = await service.roomEvents(sender, criteria, query.next_batch);
      return rawJson(`{"search_categories":{"room_events":${found}}}`);
    },
);
