import { Type } from 'typebox';
import type { TurnCredentials } from '../../../services/calls/turn-credentials.ts';
import { endpoint } from '../../endpoint.ts';

export type Calls = {
  /** `undefined` where the server has no TURN server. */
  readonly turnCredentials: (userId: string) => TurnCredentials | undefined;
  /** What carries the media of calls, the best first. */
  readonly rtcTransports: readonly { readonly type: string }[];
};

export const getTurnServer = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/voip/turnServer',
    operationId: 'getTurnServer',
    summary: 'Obtain TURN server credentials.',
    auth: 'user',
    rateLimit: 'turn-server',
    // Clients take an empty object to mean that there is none; the spec has no answer for that.
    response: Type.Object(
      {
        username: Type.Optional(Type.String()),
        password: Type.Optional(Type.String()),
        uris: Type.Optional(Type.Array(Type.String())),
        ttl: Type.Optional(Type.Integer()),
      },
      { title: 'TurnServer' },
    ),
  },
  ({ calls }: { calls: Calls }) =>
    ({ sender }) =>
      calls.turnCredentials(sender.userId) ?? {},
);
