import { Type } from 'typebox';
import type { ToDevice } from '../../../services/to-device/to-device.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject, jsonObject } from '../../schemas.ts';

export const sendToDevice = endpoint(
  {
    method: 'PUT',
    path: '/_matrix/client/v3/sendToDevice/:eventType/:txnId',
    operationId: 'sendToDevice',
    summary: 'Send an event to a given set of devices',
    auth: 'user',
    rateLimit: 'to-device',
    params: Type.Object({ eventType: Type.String(), txnId: Type.String() }),
    bodyLimit: 8 * 1024 * 1024,
    body: Type.Object(
      { messages: Type.Record(Type.String(), Type.Record(Type.String(), jsonObject)) },
      { title: 'ToDeviceMessages' },
    ),
    response: emptyObject,
  },
  ({ toDevice }: { toDevice: ToDevice }) =>
    async ({ sender, params, body }) => {
      await toDevice.send(sender, { type: params.eventType, txnId: params.txnId, messages: body.messages });
      return {};
    },
);
