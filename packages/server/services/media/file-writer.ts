import { close, closeSync, fdatasync, fsync, open, openSync, rename, write } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { ContentWriter } from './content-store.ts';
import { errorCode, fromDiskError } from './disk-errors.ts';

type Options = {
  readonly contentId: string;
  readonly temporaryPath: string;
  readonly finalPath: string;
  /** Whether it has to survive a power cut. */
  readonly sync: boolean;
  /** Gathers bytes for one call to the system. Nobody else's until the writer is done. */
  readonly buffer: Buffer;
};

// Each call that another thread makes costs more than most of these calls do, and one by a `FileHandle` more still.
const files = {
  open: promisify(open),
  write: promisify(write),
  datasync: promisify(fdatasync),
  sync: promisify(fsync),
  rename: promisify(rename),
  close: promisify(close),
};

async function syncFolder(path: string): Promise<void> {
  // What has just been changed is in memory: neither waits for the disk.
  const folder = openSync(path, 'r');
  try {
    await files.sync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Into its final place; the folder there is made for its first file. All of them at once would take a tenth of a second of the first upload. */
async function moveInto(from: string, to: string, sync: boolean): Promise<void> {
  const folder = dirname(to);
  try {
    await files.rename(from, to);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (sync) await syncFolder(dirname(folder));
    await files.rename(from, to);
  }
  if (sync) await syncFolder(folder);
}

async function writeAll(file: number, bytes: Uint8Array): Promise<void> {
  // A disk that fills up takes a part at first.
  for (let at = 0; at < bytes.length;) at += (await files.write(file, bytes, at)).bytesWritten;
}

/** Temporary file, sync, rename, sync of the folder: what is under its final name is whole. */
export async function createFileWriter(options: Options): Promise<ContentWriter> {
  const { contentId, temporaryPath, finalPath, sync, buffer } = options;
  const file = await files.open(temporaryPath, 'wx', 0o600).catch((error: unknown) => {
    throw fromDiskError(error);
  });
  let isOpen = true;
  let isSynced = false;
  let filled = 0;

  async function close(): Promise<void> {
    if (!isOpen) return;
    isOpen = false;
    // After a sync, nothing is left that it could wait for.
    if (isSynced) closeSync(file);
    else await files.close(file);
  }

  async function flush(): Promise<void> {
    const bytes = buffer.subarray(0, filled);
    filled = 0;
    try {
      await writeAll(file, bytes);
    } catch (error) {
      throw fromDiskError(error);
    }
  }

  async function writeInParts(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + buffer.length - filled);
      buffer.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === buffer.length) await flush();
    }
  }

  return {
    contentId,
    write(chunk) {
      if (filled + chunk.length >= buffer.length) return writeInParts(chunk);
      buffer.set(chunk, filled);
      filled += chunk.length;
      return undefined;
    },
    async finish() {
      if (filled > 0) await flush();
      try {
        if (sync) await files.datasync(file);
        isSynced = sync;
        await close();
        await moveInto(temporaryPath, finalPath, sync);
      } catch (error) {
        throw fromDiskError(error);
      }
    },
    async abort() {
      await close().catch(() => undefined);
      await rm(temporaryPath, { force: true });
      await rm(finalPath, { force: true });
    },
  };
}
