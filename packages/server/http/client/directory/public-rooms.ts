import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { RoomDirectory } from '../../../services/directory/room-directory.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';
import { pageToken } from '../../schemas.ts';
import { publicRoomsResponse } from './schemas.ts';

const path = '/_matrix/client/v3/publicRooms';
const server = Type.Optional(Type.String());
const page = { limit: Type.Optional(Type.Integer()), since: pageToken };

export const getPublicRooms = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'getPublicRooms',
    summary: "Lists a server's published room directory",
    auth: 'anyone',
    rateLimit: 'directory',
    query: Type.Object({ server, ...page }),
    response: publicRoomsResponse,
  },
  ({ directory }: { directory: RoomDirectory }) =>
    async ({ query }) =>
      rawJson(await directory.list(query)),
);

const filter = Type.Object(
  {
    generic_search_term: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    room_types: Type.Optional(Type.Union([Type.Array(Type.Union([Type.String(), Type.Null()])), Type.Null()])),
  },
  { title: 'PublicRoomsFilter' },
);

export const queryPublicRooms = endpoint(
  {
    method: 'POST',
    path,
    operationId: 'queryPublicRooms',
    summary: "Lists a server's published room directory with a filter",
    auth: 'user',
    rateLimit: 'directory',
    query: Type.Object({ server }),
    body: Type.Object(
      {
        limit: page.limit,
        since: page.since,
        filter: Type.Optional(filter),
        include_all_networks: Type.Optional(Type.Boolean()),
        third_party_instance_id: Type.Optional(Type.String()),
      },
      { title: 'QueryPublicRooms' },
    ),
    response: publicRoomsResponse,
  },
  ({ directory }: { directory: RoomDirectory }) =>
    async ({ query, body }) => {
      const { filter: chosen, third_party_instance_id: thirdPartyInstance } = body;
      if (body.include_all_networks === true && thirdPartyInstance !== undefined) {
        throw new MatrixError('request.invalid-param', {
          message: 'third_party_instance_id cannot be used with include_all_networks.',
        });
      }
      return rawJson(
        await directory.list({
          server: query.server,
          limit: body.limit,
          since: body.since,
          searchTerm: chosen?.generic_search_term ?? undefined,
          roomTypes: chosen?.room_types ?? undefined,
          thirdPartyInstance,
          allNetworks: body.include_all_networks,
        }),
      );
    },
);
