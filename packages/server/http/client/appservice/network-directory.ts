import { Type } from 'typebox';
import type { NetworkDirectories } from '../../../services/directory/network-directories.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

const path = '/_matrix/client/v3/directory/list/appservice/:networkId/:roomId';
const params = Type.Object({ networkId: Type.String({ minLength: 1, maxLength: 255 }), roomId: Type.String() });

export const updateAppserviceRoomDirectoryVisibility = endpoint(
  {
    method: 'PUT',
    path,
    operationId: 'updateAppserviceRoomDirectoryVisibility',
    summary: "Updates a room's visibility in the application service's published room directory.",
    auth: 'app-service',
    params,
    body: Type.Object(
      { visibility: Type.Union([Type.Literal('public'), Type.Literal('private')]) },
      { title: 'NetworkRoomVisibility' },
    ),
    response: emptyObject,
  },
  ({ networks }: { networks: NetworkDirectories }) =>
    async ({ appService, params, body }) => {
      const key = { serviceId: appService.id, networkId: params.networkId };
      await networks.setListed(key, params.roomId, body.visibility === 'public');
      return {};
    },
);

/** Not in the spec, but what other servers take for the same as setting the visibility to `private`. */
export const removeFromAppserviceRoomDirectory = endpoint(
  {
    method: 'DELETE',
    path,
    operationId: 'removeFromAppserviceRoomDirectory',
    summary: "Takes a room out of the application service's published room directory.",
    auth: 'app-service',
    params,
    response: emptyObject,
  },
  ({ networks }: { networks: NetworkDirectories }) =>
    async ({ appService, params }) => {
      await networks.setListed({ serviceId: appService.id, networkId: params.networkId }, params.roomId, false);
      return {};
    },
);
