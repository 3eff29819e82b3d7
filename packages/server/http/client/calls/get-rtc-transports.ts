import { Type } from 'typebox';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import type { Calls } from './get-turn-server.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4143} */
export const getRtcTransports = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/unstable/org.matrix.msc4143/rtc/transports',
    operationId: 'getRtcTransports',
    summary: 'What the server offers to carry the media of calls',
    auth: 'user',
    response: Type.Object(
      { rtc_transports: Type.Array(Type.Object({ type: Type.String() }, { title: 'RtcTransport' })) },
      { title: 'RtcTransports' },
    ),
  },
  ({ calls }: { calls: Calls }) => {
    const answer = rawJson(JSON.stringify({ rtc_transports: calls.rtcTransports }));
    return () => answer;
  },
);
