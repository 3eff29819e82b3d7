import {
  queryDirectory as directoryOperation,
  queryProfile as profileOperation,
} from '../../../federation-api/queries.ts';
import type { DirectoryQueries } from '../../../services/federation/rooms/directory-queries.ts';
import type { Profiles } from '../../../services/profile/profiles.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';

export const queryDirectory = endpoint(
  directoryOperation,
  ({ directoryQueries }: { readonly directoryQueries: DirectoryQueries }) => {
    return async ({ query }) => directoryQueries.findAlias(query.room_alias);
  },
);

export const queryProfile = endpoint(
  profileOperation,
  ({ localProfiles: profiles }: { readonly localProfiles: Profiles }) => {
    return async ({ query: { user_id: userId, field } }) =>
      rawJson(field === undefined ? await profiles.get(userId) : await profiles.getField(userId, field));
  },
);
