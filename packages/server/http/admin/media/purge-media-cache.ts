import { Type } from 'typebox';
import type { Quarantine } from '../../../services/media/quarantine.ts';
import { endpoint } from '../../endpoint.ts';

export const purgeMediaCache = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/purge_media_cache',
    operationId: 'purgeMediaCache',
    summary: "Deletes what is kept of other servers' media and has not been read for some time.",
    auth: 'admin',
    query: Type.Object({
      before_ts: Type.Integer({ minimum: 0, description: 'What was last read before that goes; noted once an hour.' }),
    }),
    response: Type.Object({ deleted: Type.Integer() }, { title: 'MediaCachePurged' }),
  },
  ({ quarantine }: { readonly quarantine: Quarantine }) =>
    async ({ query, signal }) => ({ deleted: await quarantine.purgeCache(query.before_ts, signal) }),
);
