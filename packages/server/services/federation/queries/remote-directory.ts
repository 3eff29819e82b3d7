import { encodeCanonical, parseServerName } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { getPublicRooms, queryPublicRooms } from '../../../federation-api/public-rooms.ts';
import type { RemoteDirectory } from '../../directory/remote-directory.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { toMatrixError } from './remote-error.ts';

/** Directories of other servers. Each answers in pages of its own, with tokens that only it understands. */
export function createRemoteDirectory(client: FederationClient): RemoteDirectory {
  return {
    async list(name, query) {
      const server = parseServerName(name);
      if (server === undefined) throw new MatrixError('request.invalid-param', { message: 'server is not a name.' });
      const { limit, since, searchTerm, roomTypes, thirdPartyInstance } = query;
      const page = {
        ...(limit !== undefined && { limit }),
        ...(since !== undefined && { since }),
        ...(thirdPartyInstance !== undefined && { third_party_instance_id: thirdPartyInstance }),
      };
      const filter = {
        ...(searchTerm !== undefined && { generic_search_term: searchTerm }),
        ...(roomTypes !== undefined && { room_types: [...roomTypes] }),
      };
      try {
        const answer =
          Object.keys(filter).length === 0
            ? await client.call(getPublicRooms, server, { query: page })
            : await client.call(queryPublicRooms, server, { body: { ...page, filter } });
        return encodeCanonical(answer, 'lenient');
      } catch (error) {
        throw toMatrixError(error, 'not-found');
      }
    },
  };
}
