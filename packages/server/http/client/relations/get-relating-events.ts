import { Type } from 'typebox';
import type { ReadingContext } from '../../../services/reading/context.ts';
import { readRelatedEvents } from '../../../services/relations/related-events.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { pageToken } from '../../schemas.ts';
import { clientEvent } from '../reading/schemas.ts';

const path = '/_matrix/client/v1/rooms/:roomId/relations/:eventId';
const summary = 'Get the child events for a given parent event';

const query = Type.Object({
  from: pageToken,
  to: pageToken,
  limit: Type.Optional(Type.Integer({ minimum: 1 })),
  dir: Type.Optional(Type.Union([Type.Literal('b'), Type.Literal('f')])),
  recurse: Type.Optional(Type.Boolean()),
  'org.matrix.msc3981.recurse': Type.Optional(Type.Boolean()),
});

const response = Type.Object(
  {
    chunk: Type.Array(clientEvent),
    next_batch: Type.Optional(Type.String()),
    prev_batch: Type.Optional(Type.String()),
    recursion_depth: Type.Optional(Type.Integer()),
  },
  { title: 'RelatingEvents' },
);

const common = { method: 'GET', summary, auth: 'user', query, response } as const;
type Services = { readonly reading: ReadingContext };
type Query = {
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly dir?: 'b' | 'f';
  readonly recurse?: boolean;
  readonly 'org.matrix.msc3981.recurse'?: boolean;
};

function page({ from, to, limit, dir, recurse: stable, 'org.matrix.msc3981.recurse': unstable }: Query) {
  const recurse = stable ?? unstable ?? false;
  return { from, to, limit, direction: dir === 'f' ? 'forwards' : 'backwards', recurse } as const;
}

export const getRelatingEvents = endpoint(
  {
    ...common,
    path,
    operationId: 'getRelatingEvents',
    params: Type.Object({ roomId: Type.String(), eventId: Type.String() }),
  },
  ({ reading }: Services) =>
    async ({ sender, params, query }) => {
      const request = { ...params, ...page(query), relType: undefined, eventType: undefined };
      return rawJson(await readRelatedEvents(reading, sender, request));
    },
);

export const getRelatingEventsOfType = endpoint(
  {
    ...common,
    path: `${path}/:relType`,
    operationId: 'getRelatingEventsWithRelType',
    params: Type.Object({ roomId: Type.String(), eventId: Type.String(), relType: Type.String() }),
  },
  ({ reading }: Services) =>
    async ({ sender, params, query }) =>
      rawJson(await readRelatedEvents(reading, sender, { ...params, ...page(query), eventType: undefined })),
);

export const getRelatingEventsOfEventType = endpoint(
  {
    ...common,
    path: `${path}/:relType/:eventType`,
    operationId: 'getRelatingEventsWithRelTypeAndEventType',
    params: Type.Object({
      roomId: Type.String(),
      eventId: Type.String(),
      relType: Type.String(),
      eventType: Type.String(),
    }),
  },
  ({ reading }: Services) =>
    async ({ sender, params, query }) =>
      rawJson(await readRelatedEvents(reading, sender, { ...params, ...page(query) })),
);
