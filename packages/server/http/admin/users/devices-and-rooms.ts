import { Type } from 'typebox';
import type { AccountCare } from '../../../services/accounts/account-care.ts';
import type { WhoIs } from '../../../services/devices/who-is.ts';
import { whoIsAnswer } from '../../client/devices/get-who-is.ts';
import { endpoint } from '../../endpoint.ts';

type Services = { readonly care: AccountCare };
const params = Type.Object({ userId: Type.String() });
const optionalText = Type.Union([Type.String(), Type.Null()]);

export const listDevicesOfUser = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v2/users/:userId/devices',
    operationId: 'listDevicesOfUser',
    summary: 'Lists the devices of an account.',
    auth: 'admin',
    params,
    response: Type.Object(
      {
        devices: Type.Array(
          Type.Object(
            {
              device_id: Type.String(),
              display_name: optionalText,
              last_seen_ip: optionalText,
              last_seen_ts: Type.Union([Type.Integer(), Type.Null()]),
              user_id: Type.String(),
            },
            { title: 'DeviceOfUser' },
          ),
        ),
        total: Type.Integer(),
      },
      { title: 'DeviceListOfUser' },
    ),
  },
  ({ care }: Services) =>
    async ({ params: { userId } }) => {
      const devices = (await care.listDevices(userId)).map((device) => ({
        device_id: device.device_id,
        display_name: device.display_name ?? null,
        last_seen_ip: device.last_seen_ip ?? null,
        last_seen_ts: device.last_seen_ts ?? null,
        user_id: userId,
      }));
      return { devices, total: devices.length };
    },
);

/** The specification has a call for this as well; tools that are older than it make this one. */
export const getWhoIsAsAdmin = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/whois/:userId',
    operationId: 'getWhoIsAsAdmin',
    summary: "Tells when and from where somebody's devices were last used.",
    auth: 'admin',
    params,
    response: whoIsAnswer,
  },
  ({ whoIs }: { whoIs: WhoIs }) =>
    ({ sender, params: { userId } }) =>
      whoIs.ask(sender, userId),
);

export const listRoomsOfUser = endpoint(
  {
    method: 'GET',
    path: '/_synapse/admin/v1/users/:userId/joined_rooms',
    operationId: 'listRoomsOfUser',
    summary: 'Lists the rooms that somebody of this server is in.',
    auth: 'admin',
    params,
    response: Type.Object({ joined_rooms: Type.Array(Type.String()), total: Type.Integer() }, { title: 'RoomsOfUser' }),
  },
  ({ care }: Services) =>
    async ({ params: { userId } }) => {
      const rooms = await care.listRooms(userId);
      return { joined_rooms: [...rooms], total: rooms.length };
    },
);
