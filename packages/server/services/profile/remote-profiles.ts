import { encodeCanonical, isJsonObject, isUserId, parseJson, serverNameOf } from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';
import { checkProfileKey } from './profile-key.ts';
import type { Profiles } from './profiles.ts';

/** Profiles of other servers' people, as JSON text. */
export interface RemoteProfiles {
  /** All of it, or an object of one field. */
  get(userId: string, field: string | undefined): Promise<string>;
  /** Drops what is known of somebody. */
  forget(userId: string): void;
}

/** Profiles of this server's people and of others. */
export function withRemoteProfiles(profiles: Profiles, remote: RemoteProfiles, serverName: string): Profiles {
  const isElsewhere = (userId: string): boolean => isUserId(userId) && serverNameOf(userId) !== serverName;
  return {
    ...profiles,
    get: (userId) => (isElsewhere(userId) ? remote.get(userId, undefined) : profiles.get(userId)),
    async getField(userId, key) {
      if (!isElsewhere(userId)) return profiles.getField(userId, key);
      checkProfileKey(key);
      const profile = parseJson(await remote.get(userId, key), 'lenient');
      // Whatever else it says was not asked for.
      const value = isJsonObject(profile) ? profile[key] : undefined;
      if (value === undefined) throw new MatrixError('profile.not-found');
      return `{${JSON.stringify(key)}:${encodeCanonical(value, 'lenient')}}`;
    },
  };
}
