import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import { insertAccountData } from '@portico/storage/stores/accounts/account-data-insert.ts';
import { findAccountData, replaceAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { type AccountDataLimits, createAccountDataLimits } from '../accounts/account-data-limits.ts';
import { createQueuesByKey } from '../queues-by-key.ts';

/** How somebody sorts their rooms. {@link https://spec.matrix.org/v1.19/client-server-api/#room-tagging} */
export interface Tags {
  all(userId: string, roomId: string): Promise<JsonObject>;
  set(userId: string, roomId: string, tag: string, content: JsonObject): Promise<void>;
  /** Adds those that the room does not have, at once. */
  add(userId: string, roomId: string, tags: JsonObject): Promise<void>;
  remove(userId: string, roomId: string, tag: string): Promise<void>;
}

const maxTagBytes = 255;
const maxTags = 100;
const maxContentBytes = 64 * 1024;
/** Enough for several processes of which each makes one change at a time. */
const maxAttempts = 20;
/** For one room of one person. */
const mostWaiting = 100;

type Change = (tags: JsonObject) => JsonObject | undefined;

type Dependencies = AccountDataLimits & { readonly db: Database };

export function createTags({ db, ...limits }: Dependencies): Tags {
  const queues = createQueuesByKey(mostWaiting);
  const refuseTooMuch = createAccountDataLimits(db, limits);

  async function load(userId: string, roomId: string) {
    const row = await findAccountData(db, userId, roomId, 'm.tag');
    const content = row && parseJson(row.content);
    const tags = isJsonObject(content) ? content['tags'] : undefined;
    return { row, content: isJsonObject(content) ? content : {}, tags: isJsonObject(tags) ? tags : {} };
  }

  async function attempt(userId: string, roomId: string, change: Change): Promise<void> {
    const { row, content, tags } = await load(userId, roomId);
    const changed = change(tags);
    if (changed === undefined) return;
    const text = JSON.stringify({ ...content, tags: changed });
    if (Buffer.byteLength(text) > maxContentBytes || Object.keys(changed).length > maxTags) {
      throw new MatrixError('request.too-large', { message: 'This room has too many tags.' });
    }
    await refuseTooMuch(userId, text, row);
    const set = createWriteSet();
    const data = { userId, roomId, type: 'm.tag', content: text };
    if (row === undefined) insertAccountData(set, data);
    else replaceAccountData(set, data, row.stream_position);
    await db.commit(set);
  }

  function edit(userId: string, roomId: string, change: Change): Promise<void> {
    return queues.run(`${userId} ${roomId}`, () => editInTurn(userId, roomId, change));
  }

  /** Another process may sort at the same moment: the later one starts over from what the other left. */
  async function editInTurn(userId: string, roomId: string, change: Change): Promise<void> {
    for (let attempts = 1; ; attempts++) {
      try {
        await attempt(userId, roomId, change);
        return;
      } catch (error) {
        const isConflict = error instanceof StorageError && error.guard === 'account-data.changed';
        if (!isConflict || attempts === maxAttempts) throw error;
      }
    }
  }

  return {
    all: async (userId, roomId) => (await load(userId, roomId)).tags,
    async set(userId, roomId, tag, content) {
      if (Buffer.byteLength(tag) > maxTagBytes) {
        throw new MatrixError('request.invalid-param', { message: `A tag has at most ${maxTagBytes} bytes.` });
      }
      await edit(userId, roomId, (tags) => ({ ...tags, [tag]: content }));
    },
    async add(userId, roomId, more) {
      await edit(userId, roomId, (tags) => {
        const isNew = Object.keys(more).some((tag) => tags[tag] === undefined);
        return isNew ? { ...more, ...tags } : undefined;
      });
    },
    async remove(userId, roomId, tag) {
      await edit(userId, roomId, ({ [tag]: removed, ...rest }) => (removed === undefined ? undefined : rest));
    },
  };
}
