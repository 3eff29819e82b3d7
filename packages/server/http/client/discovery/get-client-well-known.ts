import { endpoint } from '../../endpoint.ts';
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
  (discovery: { discovery: BaseUrl }) => () => clientWellKnown(discovery.discovery),
);
