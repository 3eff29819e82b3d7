import { Type } from 'typebox';
import type { Filters } from '../../../services/accounts/filters.ts';
import { endpoint } from '../../endpoint.ts';
import { syncFilter } from './filter-schema.ts';
import { refuseOthers } from './own-user.ts';

export const defineFilter = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/user/:userId/filter',
    operationId: 'defineFilter',
    summary: 'Upload a new filter.',
    auth: 'user',
    rateLimit: 'filter',
    params: Type.Object({ userId: Type.String() }),
    body: syncFilter,
    response: Type.Object({ filter_id: Type.String() }, { title: 'FilterId' }),
  },
  ({ filters }: { filters: Filters }) =>
    async ({ sender, params, body }) => {
      refuseOthers(sender, params.userId);
      return { filter_id: await filters.create(sender.userId, body) };
    },
);
