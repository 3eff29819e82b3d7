import { Type } from 'typebox';
import type { Reported } from '../../../services/reporting/reported.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { jsonObject } from '../../schemas.ts';

const nothing = Type.Array(jsonObject, { maxItems: 0 });

/** Tools read here what somebody has reported. Around it, and elsewhere, are conversations that nobody has shown to anybody. */
export const getReportedEvent = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/rooms/:roomId/context/:eventId',
    operationId: 'getReportedEvent',
    summary: 'Gets an event that somebody has reported, without the events around it.',
    auth: 'admin',
    params: Type.Object({ roomId: Type.String(), eventId: Type.String() }),
    response: Type.Object(
      { event: jsonObject, events_before: nothing, events_after: nothing, state: nothing },
      { title: 'ReportedEvent' },
    ),
  },
  ({ reported }: { reported: Reported }) =>
    async ({ sender, params }) => {
      const event = await reported.readEvent(sender.userId, params.roomId, params.eventId);
      return rawJson(`{"event":${event},"events_before":[],"events_after":[],"state":[]}`);
    },
);
