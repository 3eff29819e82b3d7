import { Type } from 'typebox';
import type { JsonObject } from '@portico/protocol';
import type { Pushers } from '../../../services/push/pushers.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

const names = {
  app_display_name: Type.String(),
  device_display_name: Type.String(),
  lang: Type.String(),
};

const pusher = Type.Object(
  {
    app_id: Type.String(),
    pushkey: Type.String(),
    kind: Type.String(),
    ...names,
    profile_tag: Type.Optional(Type.String()),
    data: Type.Object({}),
    'org.matrix.msc3881.enabled': Type.Boolean(),
    'org.matrix.msc3881.device_id': Type.Optional(Type.String()),
  },
  { title: 'Pusher' },
);

export const getPushers = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/pushers',
    operationId: 'getPushers',
    summary: 'Gets the current pushers for the authenticated user',
    auth: 'user',
    response: Type.Object({ pushers: Type.Array(pusher) }, { title: 'Pushers' }),
  },
  ({ pushers }: { pushers: Pushers }) =>
    async ({ sender }) => ({ pushers: await pushers.list(sender.userId) }),
);

export const postPusher = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/pushers/set',
    operationId: 'postPusher',
    summary: 'Modify a pusher for this user on the homeserver.',
    auth: 'user',
    rateLimit: 'pushers',
    body: Type.Unsafe<JsonObject>(
      Type.Object(
        {
          kind: Type.Union([Type.String(), Type.Null()]),
          app_id: Type.String(),
          pushkey: Type.String(),
          ...Object.fromEntries(Object.entries(names).map(([name, type]) => [name, Type.Optional(type)])),
          profile_tag: Type.Optional(Type.String()),
          data: Type.Optional(Type.Object({})),
          append: Type.Optional(Type.Boolean()),
          'org.matrix.msc3881.enabled': Type.Optional(Type.Boolean()),
        },
        { title: 'PusherRequest' },
      ),
    ),
    bodyLimit: 32 * 1024,
    response: emptyObject,
  },
  ({ pushers }: { pushers: Pushers }) =>
    async ({ sender, body }) => {
      await pushers.set(sender, body);
      return {};
    },
);
