import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
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

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Into its final place; the folder there is made for its first file. All of them at once would take a tenth of a second of the first upload. */
async function moveInto(from: string, to: string, sync: boolean): Promise<void> {
  const folder = dirname(to);
  try {
    await rename(from, to);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (sync) await syncFolder(dirname(folder));
    await rename(from, to);
  }
  if (sync) await syncFolder(folder);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  // A disk that fills up takes a part at first.
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
}

/** Temporary file, sync, rename, sync of the folder: what is under its final name is whole. */
export async function createFileWriter(options: Options): Promise<ContentWriter> {
  const { contentId, temporaryPath, finalPath, sync, buffer } = options;
  const file = await open(temporaryPath, 'wx', 0o600).catch((error: unknown) => {
    throw fromDiskError(error);
  });
  let filled = 0;

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
        if (sync) await file.datasync();
        await file.close();
        await moveInto(temporaryPath, finalPath, sync);
      } catch (error) {
        throw fromDiskError(error);
      }
    },
    async abort() {
      await file.close().catch(() => undefined);
      await rm(temporaryPath, { force: true });
      await rm(finalPath, { force: true });
    },
  };
}
