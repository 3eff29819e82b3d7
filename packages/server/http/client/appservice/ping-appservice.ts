import { Type } from 'typebox';
import type { AppServicePing } from '../../../services/appservices/ping.ts';
import { endpoint } from '../../endpoint.ts';

export const pingAppservice = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v1/appservice/:appserviceId/ping',
    unstablePaths: ['/_matrix/client/unstable/fi.mau.msc2659/appservice/:appserviceId/ping'],
    operationId: 'pingAppservice',
    summary: 'Ask the homeserver to ping the application service to ensure the connection works',
    auth: 'app-service',
    params: Type.Object({ appserviceId: Type.String() }),
    body: Type.Object({ transaction_id: Type.Optional(Type.String()) }, { title: 'Ping' }),
    response: Type.Object({ duration_ms: Type.Integer() }, { title: 'Pinged' }),
  },
  ({ ping }: { ping: AppServicePing }) =>
    async ({ appService, params, body }) => ({
      duration_ms: await ping.ping(appService.id, params.appserviceId, body.transaction_id),
    }),
);
