import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../media/disk-errors.ts';

const atOnce = 8;
/** Shares the blocks where the file system can do that, until one of the two is changed: neither ever is. */
const mode = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;

export type Copied = { readonly files: number; readonly bytes: number };

/**
 * Copies the folders of a media store. Files never change once they are there, and one that is deleted meanwhile is not missed: nothing
 * that is shown to anybody names it any more.
 */
export async function copyMedia(from: string, to: string): Promise<Copied> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  const shelves = (await namesIn(from)).filter((name) => /^[0-9a-f]{2}$/.test(name));
  let files = 0;
  let bytes = 0;
  for (const shelf of shelves) {
    const names = await namesIn(join(from, shelf));
    await mkdir(join(to, shelf), { recursive: true, mode: 0o700 });
    for (let at = 0; at < names.length; at += atOnce) {
      const sizes = await Promise.all(
        names.slice(at, at + atOnce).map((name) => copyIfThere(join(from, shelf, name), join(to, shelf, name))),
      );
      const there = sizes.filter((size) => size !== undefined);
      files += there.length;
      bytes += there.reduce((sum, size) => sum + size, 0);
    }
  }
  return { files, bytes };
}

async function copyIfThere(from: string, to: string): Promise<number | undefined> {
  try {
    await copyFile(from, to, mode);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  return (await stat(to)).size;
}

/** Empty where there is no such folder. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Copies a file that must outlive a power cut from now on. */
export async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to, mode);
  await syncFile(to);
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
