import type { RemoteDirectory } from '../services/directory/remote-directory.ts';
import type { FederationClient } from '../services/federation/client/federation-client.ts';
import { createRemoteDirectory } from '../services/federation/queries/remote-directory.ts';
import { createRemoteProfiles } from '../services/federation/queries/remote-profiles.ts';
import { createRemoteSpaces } from '../services/federation/queries/remote-spaces.ts';
import type { RemoteProfiles } from '../services/profile/remote-profiles.ts';
import type { RemoteSpaces } from '../services/spaces/remote-spaces.ts';

/** What this server's people may learn from other servers, outside the rooms that they share. */
export type ServerReads = {
  readonly profiles: RemoteProfiles;
  readonly directory: RemoteDirectory;
  readonly spaces: RemoteSpaces;
};

type Context = { readonly client: FederationClient; readonly now: () => number };

export function createServerReads({ client, now }: Context): ServerReads {
  return {
    profiles: createRemoteProfiles({ client, now }),
    directory: createRemoteDirectory(client),
    spaces: createRemoteSpaces({ client, now }),
  };
}
