import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { createAlarm } from './alarm.ts';

/** What is noted in passing and written a little later, many notes with one commit: nobody waits for that. */
export interface GatheredNotes<Key, Note> {
  /** Of those under one key, the last one counts. Answers whether there was room for it. */
  add(key: Key, note: Note): boolean;
  /** Writes what there is. */
  flush(): Promise<void>;
}

type Options<Key, Note> = {
  readonly db: Pick<Database, 'commit'>;
  readonly write: (set: WriteSet, note: Note, key: Key) => void;
  /** What could not be written is given up. */
  readonly onFailure: (error: unknown) => void;
  /** Milliseconds for which notes are gathered. */
  readonly gather: number;
};

const most = 5000;

export function createGatheredNotes<Key, Note>(options: Options<Key, Note>): GatheredNotes<Key, Note> {
  const { db, write, onFailure, gather } = options;
  let pending = new Map<Key, Note>();
  let writing = Promise.resolve();
  const alarm = createAlarm(() => void flush());

  async function commit(): Promise<void> {
    alarm.clear();
    const notes = pending;
    pending = new Map();
    if (notes.size === 0) return;
    const set = createWriteSet();
    for (const [key, note] of notes) write(set, note, key);
    try {
      await db.commit(set);
    } catch (error) {
      onFailure(error);
    }
  }

  function flush(): Promise<void> {
    writing = writing.then(commit);
    return writing;
  }

  return {
    add(key, note) {
      if (pending.size >= most && !pending.has(key)) return false;
      pending.set(key, note);
      alarm.set(gather);
      return true;
    },
    flush,
  };
}
