import { Type } from 'typebox';
import type { Refresh } from '../../../services/accounts/refresh.ts';
import { endpoint } from '../../endpoint.ts';

export const refresh = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/refresh',
    operationId: 'refresh',
    summary: 'Refresh an access token',
    auth: 'none',
    rateLimit: 'refresh',
    body: Type.Object({ refresh_token: Type.String() }, { title: 'Refresh' }),
    response: Type.Object(
      { access_token: Type.String(), refresh_token: Type.String(), expires_in_ms: Type.Integer() },
      { title: 'Refreshed' },
    ),
  },
  ({ refresh }: { refresh: Refresh }) =>
    ({ body }) =>
      refresh.refresh(body.refresh_token),
);
