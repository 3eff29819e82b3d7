import { createWriteSet, type Database, StorageError } from '@portico/storage';
import {
  buryProcess,
  type ProcessRow,
  readProcesses,
  setProcess,
} from '@portico/storage/stores/federation/processes.ts';

/** Which process sends to which servers, and what becomes of those of a process that is gone. */
export interface Ownership {
  /** Up to where everything was settled of what nobody sends now; `undefined` where others see to it. */
  start(): Promise<number | undefined>;
  close(): Promise<void>;
}

type Options = {
  readonly db: Database;
  readonly process: string;
  readonly isShared: boolean;
  readonly now: () => number;
  /** Up to where the servers that this process sends to lack nothing, unless they fail. */
  readonly settled: () => number;
  /** A process is gone. Up to a position, the servers that it sent to had everything. */
  readonly onGone: (position: number) => void;
  readonly onFailure: (error: unknown) => void;
};

const beatEvery = 5000;
/** A process that has not been heard of for that long is gone. */
const aliveFor = 15_000;

export function createOwnership(options: Options): Ownership {
  const { db, process, isShared, now, settled, onGone, onFailure } = options;
  let timer: NodeJS.Timeout | undefined;
  let beating: Promise<void> | undefined;
  let kept: number | undefined;

  async function keep(aliveUntil: number, position: number): Promise<void> {
    const set = createWriteSet();
    setProcess(set, { process, alive_until: aliveUntil, federation_position: position });
    await db.commit(set);
    kept = position;
  }

  /** Lets go of what processes had that are gone; the lowest position up to which they had settled everything. */
  async function bury(isGone: (row: ProcessRow) => boolean): Promise<number | undefined> {
    let lowest: number | undefined;
    for (const row of (await readProcesses(db)).filter(isGone)) {
      const set = createWriteSet();
      buryProcess(set, row);
      try {
        await db.commit(set);
      } catch (error) {
        if (error instanceof StorageError && error.guard === 'process.gone') continue;
        throw error;
      }
      lowest = Math.min(lowest ?? Infinity, row.federation_position);
    }
    return lowest;
  }

  async function beat(): Promise<void> {
    const position = settled();
    // Alone, nobody asks whether this process is alive.
    if (isShared || position !== kept) await keep(now() + aliveFor, position);
    if (!isShared) return;
    const at = now();
    const gone = await bury((row) => row.process !== process && row.alive_until <= at);
    if (gone !== undefined) onGone(gone);
  }

  function schedule(): void {
    timer = setTimeout(() => {
      beating = beat()
        .catch(onFailure)
        .finally(() => {
          if (timer !== undefined) schedule();
        });
    }, beatEvery).unref();
  }

  return {
    async start() {
      const at = now();
      const isFirst = (await readProcesses(db)).length === 0;
      const gone = await bury((row) => row.process === process || row.alive_until <= at);
      const behind = isFirst ? 0 : gone;
      await keep(at + aliveFor, Math.min(behind ?? Infinity, db.currentPosition()));
      schedule();
      return behind;
    },
    async close() {
      clearTimeout(timer);
      timer = undefined;
      await beating;
      if (kept !== undefined) await keep(0, settled());
    },
  };
}
