import type { JsonObject } from '@portico/protocol';
import { Type, type Static } from 'typebox';
import type { DelayedEvents } from '../../../services/delayed-events/delayed-events.ts';
import type { RoomService } from '../../../services/rooms/room-service.ts';
import { endpoint, type Sender } from '../../endpoint.ts';
import { delayParameter, delayQuery, sentOrDelayed, withDelay } from './delay.ts';
import { jsonObject, originServerTs, timestampQuery } from './schemas.ts';
import { stickyMsOf, stickyQuery } from './sticky.ts';

type Services = { readonly rooms: RoomService; readonly delayedEvents: DelayedEvents };
type Entry = { readonly roomId: string; readonly eventType: string; readonly stateKey: string };

const query = Type.Object({ ...timestampQuery.properties, ...delayQuery, ...stickyQuery });

async function setOrDelay(
  { rooms, delayedEvents }: Services,
  sender: Sender,
  { roomId, eventType: type, stateKey }: Entry,
  asked: Static<typeof query>,
  content: JsonObject,
) {
  const { [delayParameter]: delay, ts } = asked;
  const options = { originServerTs: originServerTs(sender, ts), stickyMs: stickyMsOf(asked) };
  if (delay === undefined) {
    return { event_id: await rooms.setState(sender, roomId, type, stateKey, content, options) };
  }
  const event = { roomId, type, stateKey, txnId: undefined, content };
  return { delay_id: await delayedEvents.schedule(withDelay(sender, event, delay, options)) };
}

export const setRoomStateWithKey = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey',
    operationId: 'setRoomStateWithKey',
    summary: 'Send a state event to a room',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventType: Type.String(), stateKey: Type.String() }),
    query,
    body: jsonObject,
    response: sentOrDelayed,
  },
  (services: Services) =>
    ({ sender, params, query, body }) =>
      setOrDelay(services, sender, params, query, body),
);

export const setRoomState = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/rooms/:roomId/state/:eventType',
    operationId: 'setRoomState',
    summary: 'Send a state event with an empty state key to a room',
    auth: 'user',
    moderated: 'refused-when-suspended',
    rateLimit: 'send',
    params: Type.Object({ roomId: Type.String(), eventType: Type.String() }),
    query,
    body: jsonObject,
    response: sentOrDelayed,
  },
  (services: Services) =>
    ({ sender, params, query, body }) =>
      setOrDelay(services, sender, { ...params, stateKey: '' }, query, body),
);
