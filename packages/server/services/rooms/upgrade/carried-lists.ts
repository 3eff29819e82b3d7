import { isJsonObject, parseJson } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { readBans } from '@portico/storage/stores/rooms/members-of-kind.ts';
import { readSpaceChildren } from '@portico/storage/stores/directory/room-summaries.ts';
import { type Draft, memberDraft, stateDraft } from '../draft.ts';
import type { RoomState } from '../read-state.ts';

/** Something of which there may be more than goes into a room's first events. */
export type Carried = {
  readonly first: readonly Draft[];
  readonly hasRest: boolean;
  /** Hands over the rest, in portions. */
  rest(append: (drafts: readonly Draft[]) => Promise<unknown>): Promise<void>;
};

const bansPerPortion = 100;
const maxChildren = 500;

/** The bans of a room, so that nobody gets back in through its successor. */
export async function carriedBans(reader: Reader, roomNid: number, sender: string): Promise<Carried> {
  let after = -1;
  let hasMore = true;
  async function portion(): Promise<readonly Draft[]> {
    const rows = await readBans(reader, roomNid, after, bansPerPortion);
    hasMore = rows.length === bansPerPortion;
    after = rows.at(-1)?.room_order ?? after;
    return rows.filter((row) => row.user_id !== sender).map((row) => ban(sender, row.user_id, row.content));
  }
  const first = await portion();
  return {
    first,
    hasRest: hasMore,
    async rest(append) {
      while (hasMore) {
        const drafts = await portion();
        if (drafts.length > 0) await append(drafts);
      }
    },
  };
}

function ban(sender: string, userId: string, text: string): Draft {
  const content = parseJson(text, 'lenient');
  const reason = isJsonObject(content) ? content['reason'] : undefined;
  return memberDraft(sender, userId, { membership: 'ban', ...(typeof reason === 'string' ? { reason } : {}) });
}

/** What a space is made of. Children that were taken out of it stay out. */
export async function carriedChildren(reader: Reader, old: RoomState, sender: string): Promise<readonly Draft[]> {
  if (old.state('m.room.create')?.content['type'] !== 'm.space') return [];
  return (await readSpaceChildren(reader, [old.roomNid], maxChildren)).flatMap((row) => {
    const content = parseJson(row.content, 'lenient');
    if (!isJsonObject(content) || !Array.isArray(content['via'])) return [];
    return [stateDraft(sender, 'm.space.child', content, row.state_key)];
  });
}
