import type { Calls } from '../calls/index.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { clientWellKnown, type BaseUrl } from './base-url.ts';
import { wellKnown } from './schemas.ts';

export const getClientWellKnown = endpoint(
  {
    method: 'GET',
    path: '/.well-known/matrix/client',
    operationId: 'getWellknown',
    summary: 'Gets Matrix server discovery information about the domain.',
    auth: 'none',
    response: wellKnown,
  },
  ({ discovery, calls: { rtcTransports } }: { discovery: BaseUrl; calls: Calls }) => {
    const answer = rawJson(
      JSON.stringify({
        ...clientWellKnown(discovery),
        // Clients of calls look here until they know the endpoint for it.
        ...(rtcTransports.length > 0 && { 'org.matrix.msc4143.rtc_foci': rtcTransports }),
      }),
    );
    return () => answer;
  },
);
