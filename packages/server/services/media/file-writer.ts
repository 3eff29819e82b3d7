import { open, rename, rm, mkdir, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ContentWriter } from './content-store.ts';
import { errorCode, fromDiskError } from './disk-errors.ts';

/** Bytes that are gathered for one call to the system. */
const gathered = 256 * 1024;

type Options = {
  readonly contentId: string;
  readonly temporaryPath: string;
  readonly finalPath: string;
  /** Whether it has to survive a power cut. */
  readonly sync: boolean;
};

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Into its final place; the folder there is made for its first file. */
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

async function writeAll(file: FileHandle, chunks: readonly Uint8Array[], bytes: number): Promise<void> {
  const { bytesWritten } = await file.writev(chunks);
  if (bytesWritten === bytes) return;
  // A disk that fills up takes a part.
  await file.appendFile(Buffer.concat(chunks).subarray(bytesWritten));
}

/** Temporary file, sync, rename, sync of the folder: what is under its final name is whole. */
export async function createFileWriter(options: Options): Promise<ContentWriter> {
  const { contentId, temporaryPath, finalPath, sync } = options;
  const file = await open(temporaryPath, 'wx', 0o600).catch((error: unknown) => {
    throw fromDiskError(error);
  });
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;

  async function flush(): Promise<void> {
    const chunks = waiting;
    const bytes = waitingBytes;
    waiting = [];
    waitingBytes = 0;
    try {
      await writeAll(file, chunks, bytes);
    } catch (error) {
      throw fromDiskError(error);
    }
  }

  return {
    contentId,
    write(chunk) {
      waiting.push(chunk);
      waitingBytes += chunk.length;
      return waitingBytes < gathered ? undefined : flush();
    },
    async finish() {
      if (waitingBytes > 0) await flush();
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
