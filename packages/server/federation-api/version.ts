import { Type } from 'typebox';
import { operation } from './operation.ts';

export const getVersion = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/version',
  operationId: 'getVersion',
  summary: 'Says which program the server runs.',
  auth: 'none',
  response: Type.Object(
    {
      server: Type.Optional(
        Type.Object(
          { name: Type.Optional(Type.String()), version: Type.Optional(Type.String()) },
          { title: 'ServerProgram' },
        ),
      ),
    },
    { title: 'FederationVersion' },
  ),
  answerLimit: 16 * 1024,
  timeout: 10_000,
});
