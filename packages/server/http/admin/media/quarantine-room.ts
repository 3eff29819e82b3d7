import { type Static, Type } from 'typebox';
import type { RoomQuarantineProgress } from '../../../services/media/room-quarantine-page.ts';
import type { RoomQuarantines } from '../../../services/media/room-quarantines.ts';
import { endpoint } from '../../endpoint.ts';

type Services = { readonly roomQuarantines: RoomQuarantines };
const params = Type.Object({ roomId: Type.String() });

const response = Type.Object(
  {
    num_quarantined: Type.Integer(),
    events_examined: Type.Integer(),
    status: Type.Union([Type.Literal('active'), Type.Literal('complete')]),
  },
  { title: 'RoomMediaQuarantined' },
);

function toResponse({ added, examined, isDone }: RoomQuarantineProgress): Static<typeof response> {
  return { num_quarantined: added, events_examined: examined, status: isDone ? 'complete' : 'active' };
}

export const quarantineMediaOfRoom = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/room/:roomId/media/quarantine',
    operationId: 'quarantineMediaOfRoom',
    summary: 'Keeps from everybody the files that the events of a room are about, of old ones in the background.',
    auth: 'admin',
    params,
    response,
  },
  ({ roomQuarantines }: Services) =>
    async ({ sender, params: { roomId } }) =>
      toResponse(await roomQuarantines.begin(sender.userId, roomId)),
);

export const getRoomMediaQuarantine = endpoint(
  {
    method: 'GET',
    // There is no such call in other servers.
    path: '/_portico/admin/v1/room/:roomId/media/quarantine',
    operationId: 'getRoomMediaQuarantine',
    summary: 'Tells the administrator who began it how far it is, until a day after its end.',
    auth: 'admin',
    params,
    response,
  },
  ({ roomQuarantines }: Services) =>
    async ({ sender, params: { roomId } }) =>
      toResponse(await roomQuarantines.find(sender.userId, roomId)),
);
