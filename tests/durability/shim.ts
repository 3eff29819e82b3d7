import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Shim = {
  /** For the process that is to be watched. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it noted so far, in the order of time. */
  readonly read: () => readonly Note[];
};

export type Note = {
  /** Milliseconds. */
  readonly at: number;
  readonly kind: 'asked' | 'answered' | 'sync begins' | 'sync ends';
  readonly fd: number;
};

const kinds = [undefined, 'asked', 'answered', 'sync begins', 'sync ends'] as const;
const logBytes = 64 * 1024 * 1024;

/** Compiles the shim into a folder; says why it cannot. */
export function buildShim(folder: string, syncMilliseconds = 0): Shim | { readonly reason: string } {
  if (process.platform !== 'linux') return { reason: 'LD_PRELOAD is for Linux' };
  const library = join(folder, 'shim.so');
  const source = join(import.meta.dirname, 'shim.c');
  const compiled = spawnSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl'], { encoding: 'utf8' });
  if (compiled.error) return { reason: 'there is no C compiler (cc)' };
  if (compiled.status !== 0) return { reason: `the shim could not be compiled: ${compiled.stderr}` };
  const log = join(folder, 'shim.log');
  const file = openSync(log, 'w');
  ftruncateSync(file, logBytes);
  closeSync(file);
  return {
    environment: { LD_PRELOAD: library, SHIM_LOG: log, SHIM_SYNC_MS: String(syncMilliseconds) },
    read: () => readNotes(log),
  };
}

function readNotes(log: string): readonly Note[] {
  const bytes = readFileSync(log);
  const used = Number(bytes.readBigUInt64LE(0));
  const notes: Note[] = [];
  for (let at = 16; at + 16 <= bytes.length && notes.length < used; at += 16) {
    const kind = kinds[bytes.readUInt32LE(at + 8)];
    if (kind !== undefined) {
      notes.push({ at: Number(bytes.readBigUInt64LE(at)) / 1e6, kind, fd: bytes.readInt32LE(at + 12) });
    }
  }
  return notes.toSorted((a, b) => a.at - b.at);
}

export type Order = { readonly answers: number; readonly syncs: number; readonly early: number };

/** How many answers left although no sync had begun and ended since their request came. */
export function checkOrder(notes: readonly Note[]): Order {
  const asked = new Map<number, number>();
  const begun = new Map<number, number>();
  /** When the latest sync that has ended had begun. */
  let synced = -Infinity;
  const order = { answers: 0, syncs: 0, early: 0 };
  for (const { at, kind, fd } of notes) {
    if (kind === 'asked') asked.set(fd, at);
    else if (kind === 'sync begins') begun.set(fd, at);
    else if (kind === 'sync ends') {
      synced = Math.max(synced, begun.get(fd) ?? -Infinity);
      order.syncs++;
    } else {
      const since = asked.get(fd);
      if (since === undefined) continue;
      asked.delete(fd);
      order.answers++;
      if (synced < since) order.early++;
    }
  }
  return order;
}
