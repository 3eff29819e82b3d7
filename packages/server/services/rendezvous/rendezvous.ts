import { createWriteSet, type Database } from '@portico/storage';
import {
  addRendezvous,
  changeRendezvous,
  findRendezvous,
  removeRendezvous,
  type RendezvousRow,
} from '@portico/storage/stores/oauth/rendezvous-sessions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken, newAccessToken } from '../accounts/access-tokens.ts';
import { isGuardFailure } from '../accounts/guards.ts';

/** A message, as it is now. Times are in milliseconds. */
export type Message = {
  readonly content: string;
  readonly tag: string;
  readonly modifiedAt: number;
  readonly expiresAt: number;
};

export type Opening = { readonly lifetime: number; readonly network: string };

/**
 * A place where a device that is logged in and one that wants to be leave each other messages, in turn. What they say is
 * encrypted for each other, so that it tells nobody else anything; who knows the place may read and write there.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4388}
 */
export interface Rendezvous {
  /** `lifetime` in milliseconds; messages do not make it longer. `network`: where the device is, as `networkKey` has it. */
  open(content: string, opening: Opening): Promise<Message & { readonly id: string }>;
  /** Throws `rendezvous.not-found`. */
  read(id: string): Promise<Message>;
  /** Answers the message that is there, and whether that is the new one: only where `before` was still there. */
  write(id: string, before: string, content: string): Promise<Message & { readonly isWritten: boolean }>;
  /** Throws `rendezvous.not-found`. */
  close(id: string): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

export function createRendezvous({ db, now, randomBytes }: Dependencies): Rendezvous {
  const newTag = (): string => Buffer.from(randomBytes(12)).toString('base64url');

  async function find(id: string): Promise<RendezvousRow> {
    const row = await findRendezvous(db, hashToken(id), now());
    if (row === undefined) throw new MatrixError('rendezvous.not-found');
    return row;
  }

  return {
    async open(content, { lifetime, network }) {
      const id = newAccessToken(randomBytes);
      const row = { content, tag: newTag(), modified_at: now(), expires_at: now() + lifetime };
      const set = createWriteSet();
      addRendezvous(set, hashToken(id), row, network);
      await db.commit(set);
      return { id, ...toMessage(row) };
    },
    read: async (id) => toMessage(await find(id)),
    async write(id, before, content) {
      const { expires_at: expiresAt } = await find(id);
      const row = { content, tag: newTag(), modified_at: now(), expires_at: expiresAt };
      const set = createWriteSet();
      changeRendezvous(set, hashToken(id), before, row);
      try {
        await db.commit(set);
        return { ...toMessage(row), isWritten: true };
      } catch (error) {
        if (!isGuardFailure(error, 'rendezvous.changed')) throw error;
        return { ...toMessage(await find(id)), isWritten: false };
      }
    },
    async close(id) {
      await find(id);
      const set = createWriteSet();
      removeRendezvous(set, hashToken(id));
      await db.commit(set);
    },
  };
}

function toMessage({ content, tag, modified_at: modifiedAt, expires_at: expiresAt }: RendezvousRow): Message {
  return { content, tag, modifiedAt, expiresAt };
}
