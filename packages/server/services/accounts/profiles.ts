import type { JsonObject, JsonValue } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { listProfileFields } from '@portico/storage/stores/accounts.ts';

export interface Profiles {
  /** What a local user's member events say about them: `displayname` and `avatar_url`, where set. */
  memberProfile(userId: string): Promise<JsonObject>;
}

export function createProfiles(db: Reader): Profiles {
  return {
    async memberProfile(userId) {
      const profile: Record<string, JsonValue> = {};
      for (const { name, value } of await listProfileFields(db, userId)) {
        if (name === 'displayname' || name === 'avatar_url') profile[name] = JSON.parse(value) as JsonValue;
      }
      return profile;
    },
  };
}
