import { Type } from 'typebox';
import type { ClientEvent } from '../../../services/old-sync/answers.ts';
import { clientEvent } from '../reading/schemas.ts';

const roomEvent = Type.Unsafe<ClientEvent>(clientEvent);

const event = Type.Object({ type: Type.String(), content: Type.Object({}) }, { title: 'AnyEvent' });

export const paginationChunk = Type.Object(
  { start: Type.Optional(Type.String()), end: Type.String(), chunk: Type.Array(event) },
  { title: 'PaginationChunk' },
);

const roomEvents = Type.Object(
  { start: Type.Optional(Type.String()), end: Type.String(), chunk: Type.Array(roomEvent) },
  { title: 'RoomEventsChunk' },
);

export const roomInfo = Type.Object(
  {
    room_id: Type.String(),
    membership: Type.Optional(Type.String()),
    invite: Type.Optional(event),
    messages: Type.Optional(roomEvents),
    state: Type.Optional(Type.Array(roomEvent)),
    visibility: Type.Optional(Type.String()),
    account_data: Type.Optional(Type.Array(event)),
  },
  { title: 'RoomInfo' },
);

export const initialSyncAnswer = Type.Object(
  {
    end: Type.String(),
    presence: Type.Array(event),
    account_data: Type.Array(event),
    receipts: Type.Array(event),
    rooms: Type.Array(roomInfo),
  },
  { title: 'InitialSync' },
);
