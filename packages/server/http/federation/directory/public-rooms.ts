import { MatrixError } from '../../../errors/matrix-error.ts';
import {
  getPublicRooms as getOperation,
  queryPublicRooms as queryOperation,
} from '../../../federation-api/public-rooms.ts';
import type { RoomDirectory } from '../../../services/directory/room-directory.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';

type Services = {
  readonly directory: RoomDirectory;
  /** Whether other servers may see it. */
  readonly showsDirectory: boolean;
};

function refuseUnlessShown({ showsDirectory }: Services): void {
  if (!showsDirectory)
    throw new MatrixError('forbidden', { message: 'This server shows its directory to nobody else.' });
}

export const getPublicRooms = endpoint(getOperation, (services: Services) => async ({ query }) => {
  refuseUnlessShown(services);
  const { limit, since, third_party_instance_id: thirdPartyInstance } = query;
  return rawJson(await services.directory.list({ limit, since, thirdPartyInstance }));
});

export const queryPublicRooms = endpoint(queryOperation, (services: Services) => async ({ body }) => {
  refuseUnlessShown(services);
  const { limit, since, filter, third_party_instance_id: thirdPartyInstance } = body;
  return rawJson(
    await services.directory.list({
      limit,
      since,
      searchTerm: filter?.generic_search_term ?? undefined,
      roomTypes: filter?.room_types ?? undefined,
      thirdPartyInstance,
    }),
  );
});
