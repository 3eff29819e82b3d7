import { Type } from 'typebox';
import type { DehydratedDevices } from '../../../services/keys/dehydrated-devices.ts';
import type { ToDevicePage } from '../../../services/to-device/to-device-queue.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { jsonObject, pageToken } from '../../schemas.ts';

type Deps = { readonly dehydratedDevices: DehydratedDevices };

const path = '/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device';
const common = { auth: 'user', rateLimit: 'devices', path } as const;
const named = Type.Object({ device_id: Type.String() }, { title: 'DehydratedDeviceId' });

export const putDehydratedDevice = endpoint(
  {
    ...common,
    method: 'PUT',
    operationId: 'putDehydratedDevice',
    summary: 'Store a device that takes messages while nobody is logged in',
    body: Type.Object(
      {
        device_id: Type.String(),
        device_data: jsonObject,
        device_keys: jsonObject,
        initial_device_display_name: Type.Optional(Type.String()),
        one_time_keys: Type.Optional(jsonObject),
        fallback_keys: Type.Optional(jsonObject),
      },
      { title: 'NewDehydratedDevice' },
    ),
    response: named,
  },
  ({ dehydratedDevices }: Deps) =>
    async ({ sender, body }) => {
      await dehydratedDevices.put(sender.userId, body);
      return { device_id: body.device_id };
    },
);

export const getDehydratedDevice = endpoint(
  {
    ...common,
    method: 'GET',
    operationId: 'getDehydratedDevice',
    summary: 'Get the device that takes messages while nobody is logged in',
    response: Type.Object({ device_id: Type.String(), device_data: jsonObject }, { title: 'DehydratedDevice' }),
  },
  ({ dehydratedDevices }: Deps) =>
    async ({ sender }) =>
      rawJson(JSON.stringify(await dehydratedDevices.get(sender.userId))),
);

export const deleteDehydratedDevice = endpoint(
  {
    ...common,
    method: 'DELETE',
    operationId: 'deleteDehydratedDevice',
    summary: 'Delete the device that takes messages while nobody is logged in',
    response: named,
  },
  ({ dehydratedDevices }: Deps) =>
    async ({ sender }) => ({ device_id: await dehydratedDevices.remove(sender.userId) }),
);

const events = Type.Object(
  { events: Type.Array(jsonObject), next_batch: Type.Optional(Type.String()) },
  { title: 'DehydratedDeviceEvents' },
);
const eventsOf = {
  ...common,
  path: `${path}/:deviceId/events`,
  summary: 'Get the messages that a dehydrated device has taken',
  params: Type.Object({ deviceId: Type.String() }),
  response: events,
} as const;
const limit = Type.Optional(Type.Integer({ minimum: 1 }));
const mostEvents = 100;
const bounded = (wanted: number = mostEvents): number => Math.min(wanted, mostEvents);

function page(found: ToDevicePage, next: string | undefined) {
  const nextBatch = next === undefined ? '' : `,"next_batch":${JSON.stringify(next)}`;
  return rawJson(`{"events":[${found.events.join(',')}]${nextBatch}}`);
}

export const getDehydratedDeviceEvents = endpoint(
  {
    ...eventsOf,
    method: 'GET',
    operationId: 'getDehydratedDeviceEvents',
    query: Type.Object({ from: pageToken, limit }),
  },
  ({ dehydratedDevices }: Deps) =>
    async ({ sender, params, query }) => {
      const found = await dehydratedDevices.messages(sender.userId, params.deviceId, query.from, bounded(query.limit));
      return page(found, found.hasMore ? found.next : undefined);
    },
);

/** As clients in use ask: they go on until there are no more events. */
export const takeDehydratedDeviceEvents = endpoint(
  {
    ...eventsOf,
    method: 'POST',
    operationId: 'takeDehydratedDeviceEvents',
    query: Type.Object({ limit }),
    body: Type.Object({ next_batch: pageToken }, { title: 'DehydratedDeviceEventsFrom' }),
  },
  ({ dehydratedDevices }: Deps) =>
    async ({ sender, params, query, body }) => {
      const from = body.next_batch;
      const found = await dehydratedDevices.messages(sender.userId, params.deviceId, from, bounded(query.limit));
      return page(found, found.next ?? '0.0');
    },
);

export const dehydratedDeviceEndpoints = [
  putDehydratedDevice,
  getDehydratedDevice,
  deleteDehydratedDevice,
  getDehydratedDeviceEvents,
  takeDehydratedDeviceEvents,
];
