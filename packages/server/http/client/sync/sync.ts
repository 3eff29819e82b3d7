import { Type } from 'typebox';
import type { SyncPass } from '../../../services/sync/pass.ts';
import type { Sync } from '../../../services/sync/sync.ts';
import type { Presence } from '../../../services/presence/presence.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { pageToken } from '../../schemas.ts';
import { syncResponse } from './sync-response.ts';

const flag = Type.Optional(Type.Boolean());
const unstableStateAfter = 'org.matrix.msc4222.use_state_after';

export const sync = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/sync',
    operationId: 'sync',
    summary: "Synchronise the client's state and receive new messages",
    auth: 'user',
    query: Type.Object({
      filter: Type.Optional(Type.String()),
      since: pageToken,
      full_state: flag,
      set_presence: Type.Optional(
        Type.Union([Type.Literal('offline'), Type.Literal('online'), Type.Literal('unavailable')]),
      ),
      timeout: Type.Optional(Type.Integer({ minimum: 0 })),
      use_state_after: flag,
      [unstableStateAfter]: flag,
    }),
    response: syncResponse,
  },
  ({ sync, presence }: { sync: Sync; presence: Presence }) =>
    async (request) => {
      const { sender, query } = request;
      const endSync = await presence.beginSync(sender, query.set_presence);
      try {
        return rawJson(
          await sync.sync({
            userId: sender.userId,
            deviceId: sender.deviceId,
            since: query.since,
            filter: query.filter,
            fullState: query.full_state ?? false,
            timeout: query.timeout ?? 0,
            stateField: stateFieldOf(query.use_state_after, query[unstableStateAfter]),
            get signal() {
              return request.signal;
            },
          }),
        );
      } finally {
        endSync();
      }
    },
);

function stateFieldOf(stable: boolean | undefined, unstable: boolean | undefined): SyncPass['stateField'] {
  if (stable === true) return 'state_after';
  return unstable === true ? 'org.matrix.msc4222.state_after' : 'state';
}
