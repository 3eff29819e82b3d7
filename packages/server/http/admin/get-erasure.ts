import { Type } from 'typebox';
import type { Erasures } from '../../services/privacy/erasures.ts';
import { endpoint } from '../endpoint.ts';

export const getErasure = endpoint(
  {
    method: 'GET',
    path: '/_portico/admin/v1/erasures/:userId',
    operationId: 'getErasure',
    summary: 'Tells how far the erasure of an account is, and what was erased.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String() }),
    response: Type.Object(
      {
        requested_at: Type.Integer(),
        finished_at: Type.Union([Type.Integer(), Type.Null()]),
        erased: Type.Record(Type.String(), Type.Integer()),
      },
      { title: 'Erasure' },
    ),
  },
  ({ erasures }: { erasures: Erasures }) =>
    ({ params }) =>
      erasures.find(params.userId),
);
