import { Type } from 'typebox';
import { endpoint } from '../endpoint.ts';
import type { Program } from '../program.ts';

export const getServerVersion = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/server_version',
    operationId: 'getServerVersion',
    summary: 'Tells what program this server is, and which version of it, as other servers are told.',
    auth: 'none',
    response: Type.Object({ server_version: Type.String() }, { title: 'ServerVersion' }),
  },
  ({ program }: { program: Program }) =>
    () => ({ server_version: `${program.name} ${program.version}` }),
);
