import { Type } from 'typebox';
import type { WhoIs } from '../../../services/devices/who-is.ts';
import { endpoint } from '../../endpoint.ts';

const connection = Type.Object(
  { ip: Type.Optional(Type.String()), last_seen: Type.Optional(Type.Integer()) },
  { title: 'ConnectionInfo' },
);
const session = Type.Object({ connections: Type.Array(connection) }, { title: 'SessionInfo' });

export const whoIsAnswer = Type.Object(
  {
    user_id: Type.String(),
    devices: Type.Record(Type.String(), Type.Object({ sessions: Type.Array(session) }, { title: 'DeviceInfo' })),
  },
  { title: 'WhoIs' },
);

export const getWhoIs = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/admin/whois/:userId',
    operationId: 'getWhoIs',
    summary: 'Gets information about a particular user.',
    auth: 'user',
    rateLimit: 'devices',
    params: Type.Object({ userId: Type.String() }),
    response: whoIsAnswer,
  },
  ({ whoIs }: { whoIs: WhoIs }) =>
    ({ sender, params }) =>
      whoIs.ask(sender, params.userId),
);
