import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { endpoint } from '../../endpoint.ts';
import type { BaseUrl } from './base-url.ts';

export const getServerWellKnown = endpoint(
  {
    method: 'GET',
    path: '/.well-known/matrix/server',
    operationId: 'getServerWellKnown',
    summary: 'Says where other servers reach this one.',
    auth: 'none',
    response: Type.Object({ 'm.server': Type.String() }, { title: 'ServerWellKnown' }),
  },
  ({ discovery }: { discovery: BaseUrl }) => {
    const { protocol, hostname, port } = new URL(discovery.publicBaseUrl);
    // Other servers speak TLS only: an address without it would lead them nowhere.
    if (protocol !== 'https:') {
      return () => {
        throw new MatrixError('not-found');
      };
    }
    const answer = { 'm.server': `${hostname}:${port === '' ? '443' : port}` };
    return () => answer;
  },
);
