import { Type } from 'typebox';
import type { Filters } from '../../../services/accounts/filters.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { syncFilter } from './filter-schema.ts';
import { refuseOthers } from './own-user.ts';

export const getFilter = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/user/:userId/filter/:filterId',
    operationId: 'getFilter',
    summary: 'Download a filter',
    auth: 'user',
    params: Type.Object({ userId: Type.String(), filterId: Type.String() }),
    response: syncFilter,
  },
  ({ filters }: { filters: Filters }) =>
    async ({ sender, params }) => {
      refuseOthers(sender, params.userId);
      return rawJson(await filters.get(sender.userId, params.filterId));
    },
);
