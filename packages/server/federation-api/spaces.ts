import { Type } from 'typebox';
import { operation } from './operation.ts';
import { anyObject, megabyte, roomParams } from './pdu.ts';

export const getHierarchy = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/hierarchy/:roomId',
  unstablePaths: ['/_matrix/federation/unstable/org.matrix.msc2946/hierarchy/:roomId'],
  operationId: 'getSpaceHierarchyOfServer',
  summary: 'Describes a room and, if it is a space, its children.',
  auth: 'server',
  params: roomParams,
  query: Type.Object({ suggested_only: Type.Optional(Type.Boolean()) }),
  // What is in them is looked at one by one: a bad one spoils nothing else.
  response: Type.Object(
    { room: anyObject, children: Type.Array(anyObject), inaccessible_children: Type.Array(Type.String()) },
    { title: 'HierarchyOfServer' },
  ),
  answerLimit: 4 * megabyte,
  timeout: 10_000,
});
