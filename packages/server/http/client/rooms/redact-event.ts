import { type Static, Type } from 'typebox';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint } from '../../endpoint.ts';
import { eventIdResponse } from './schemas.ts';

const relTypes = Type.Optional(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 50 }));

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3912} */
export const redactionBody = Type.Object(
  {
    reason: Type.Optional(Type.String()),
    with_rel_types: relTypes,
    'org.matrix.msc3912.with_relations': relTypes,
  },
  { title: 'Redaction' },
);

export function redactionOf(body: Static<typeof redactionBody>) {
  return {
    content: body.reason === undefined ? {} : { reason: body.reason },
    relTypes: body.with_rel_types ?? body['org.matrix.msc3912.with_relations'],
  };
}

export const redactEvent = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/:roomId/redact/:eventId/:txnId',
    operationId: 'redactEvent',
    summary: 'Strip an event of what its room version does not need',
    auth: 'user',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventId: Type.String(), txnId: Type.String() }),
    body: redactionBody,
    response: eventIdResponse,
  },
  ({ rooms }: { rooms: RoomService }) =>
    async ({ sender, params, body }) => ({
      event_id: await rooms.redact(sender, params.roomId, params.eventId, params.txnId, redactionOf(body)),
    }),
);
