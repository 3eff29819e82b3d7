import type { Database } from '@portico/storage';
import { searchUsers, type WordRange } from '@portico/storage/stores/directory/user-directory.ts';
import type { CatchUp } from '../catch-up/catch-up.ts';
import { searchedBeginnings } from './name-words.ts';

export type DirectoryResult = {
  readonly user_id: string;
  readonly display_name?: string;
  readonly avatar_url?: string;
};

export interface UserDirectory {
  /** People that somebody may know of, by the beginnings of their names. */
  search(
    searcher: string,
    term: string,
    limit: number | undefined,
  ): Promise<{ readonly results: readonly DirectoryResult[]; readonly limited: boolean }>;
}

const defaultLimit = 10;
const maxLimit = 50;
/** One person may be found by several words. */
const wordsPerUser = 4;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#user-directory} */
export function createUserDirectory({
  db,
  updates,
}: {
  readonly db: Database;
  readonly updates: CatchUp;
}): UserDirectory {
  return {
    async search(searcher, term, wanted = defaultLimit) {
      const [first, ...others] = searchedBeginnings(term).map(wordsFrom);
      if (first === undefined) return { results: [], limited: false };
      const limit = Math.min(Math.max(wanted, 1), maxLimit);
      await updates.settled();
      const most = (limit + 1) * wordsPerUser;
      const rows = await searchUsers(db.long, searcher, { first, others }, most);
      const users = new Map(rows.map((row) => [row.user_id, row]));
      const results = [...users.values()].slice(0, limit).map((row) => ({
        user_id: row.user_id,
        ...(row.display_name !== null && { display_name: row.display_name }),
        ...(row.avatar_url !== null && { avatar_url: row.avatar_url }),
      }));
      return { results, limited: users.size > limit || rows.length === most };
    },
  };
}

/** Every word that begins like this one. No text has a character behind the last one. */
function wordsFrom(beginning: string): WordRange {
  return [beginning, `${beginning}\u{10ffff}`];
}
