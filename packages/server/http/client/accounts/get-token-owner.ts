import { Type } from 'typebox';
import { endpoint } from '../../endpoint.ts';

export const getTokenOwner = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/account/whoami',
    operationId: 'getTokenOwner',
    summary: 'Gets information about the owner of an access token.',
    auth: 'user',
    response: Type.Object(
      { user_id: Type.String(), device_id: Type.Optional(Type.String()), is_guest: Type.Optional(Type.Boolean()) },
      { title: 'TokenOwner' },
    ),
  },
  () =>
    ({ sender }) => ({
      user_id: sender.userId,
      ...(sender.deviceId !== '' && { device_id: sender.deviceId }),
      is_guest: false,
    }),
);
