import type { ReadingContext } from '../../../services/reading/context.ts';
import { readOneEvent } from '../../../services/reading/one-event.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { clientEvent, eventParams } from './schemas.ts';

export const getEvent = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/rooms/:roomId/event/:eventId',
    operationId: 'getOneRoomEvent',
    summary: 'Get a single event by event ID',
    auth: 'user',
    params: eventParams,
    response: clientEvent,
  },
  ({ reading }: { reading: ReadingContext }) =>
    async ({ sender, params }) =>
      rawJson(await readOneEvent(reading, sender, params.roomId, params.eventId)),
);
