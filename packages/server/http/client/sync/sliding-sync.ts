import { Type } from 'typebox';
import type { Presence } from '../../../services/presence/presence.ts';
import type { SlidingSync } from '../../../services/sliding-sync/sliding-sync.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { pageToken } from '../../schemas.ts';
import { createSlidingRequests } from './sliding-sync-request.ts';
import { slidingSyncBody, slidingSyncResponse } from './sliding-sync-schema.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4186} */
export const slidingSync = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync',
    operationId: 'slidingSync',
    summary: 'Synchronise a window of the rooms of the client',
    auth: 'user',
    query: Type.Object({
      pos: pageToken,
      timeout: Type.Optional(Type.Integer({ minimum: 0 })),
      set_presence: Type.Optional(
        Type.Union([Type.Literal('offline'), Type.Literal('online'), Type.Literal('unavailable')]),
      ),
    }),
    body: slidingSyncBody,
    isRepeated: true,
    response: slidingSyncResponse,
  },
  ({ slidingSync, presence }: { slidingSync: SlidingSync; presence: Presence }) => {
    const toSlidingRequest = createSlidingRequests();
    return async (asked) => {
      const { sender, query, body } = asked;
      const request = toSlidingRequest(body, { sender, pos: query.pos, timeout: query.timeout ?? 0, waiter: asked });
      const endSync = await presence.beginSync(sender, query.set_presence);
      try {
        return rawJson(await slidingSync.sync(request));
      } finally {
        endSync();
      }
    };
  },
);
