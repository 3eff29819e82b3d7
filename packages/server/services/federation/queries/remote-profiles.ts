import { encodeCanonical, type JsonObject, parseServerName, serverNameOf } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { queryProfile } from '../../../federation-api/queries.ts';
import type { RemoteProfiles } from '../../profile/remote-profiles.ts';
import { createSmallCache } from '../../reading/small-cache.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { toMatrixError } from './remote-error.ts';

type Known = { readonly text: string; readonly until: number };

const maxProfiles = 2000;
/** Longer ones are asked for each time. In characters. */
const longestKept = 4096;
const keptFor = 60_000;
const maxFields = 8;
/** Clients take these for texts. Some servers say `null` where there is none. */
const textFields: ReadonlySet<string> = new Set(['displayname', 'avatar_url', 'm.tz']);

/** Profiles of other servers' people: asked for once at a time, and kept for a moment. */
export function createRemoteProfiles({
  client,
  now,
}: {
  readonly client: FederationClient;
  readonly now: () => number;
}): RemoteProfiles {
  /** By user and field. */
  const known = createSmallCache<string, Map<string, Known>>(maxProfiles);
  const underway = new Map<string, Promise<string>>();

  async function ask(userId: string, field: string | undefined): Promise<string> {
    const server = parseServerName(serverNameOf(userId) ?? '');
    if (server === undefined) throw new MatrixError('request.invalid-param', { message: 'This is not a user ID.' });
    try {
      const query = { user_id: userId, ...(field !== undefined && { field }) };
      return encodeCanonical(withoutOddFields(await client.call(queryProfile, server, { query })), 'lenient');
    } catch (error) {
      throw toMatrixError(error, 'profile.not-found');
    }
  }

  return {
    async get(userId, field) {
      const key = `${userId} ${field ?? ''}`;
      const before = known.get(userId)?.get(field ?? '');
      if (before !== undefined && before.until > now()) return before.text;
      const asked = underway.get(key) ?? ask(userId, field).finally(() => underway.delete(key));
      underway.set(key, asked);
      const text = await asked;
      if (text.length <= longestKept) {
        const fields = known.get(userId) ?? new Map<string, Known>();
        if (fields.size >= maxFields) fields.clear();
        known.set(userId, fields.set(field ?? '', { text, until: now() + keptFor }));
      }
      return text;
    },
    forget: (userId) => known.delete(userId),
  };
}

function withoutOddFields(profile: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(profile).filter(([name, value]) => typeof value === 'string' || !textFields.has(name)),
  );
}
