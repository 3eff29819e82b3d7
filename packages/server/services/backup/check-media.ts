import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reader } from '@portico/storage';
import { listMediaFiles, type MediaFileRow } from '@portico/storage/stores/media/media-files.ts';

export type MediaCheck = {
  readonly files: number;
  /** Those that are not there, or are shorter or longer than they were when they came. */
  readonly missing: number;
};

/** Looks whether all files that a database names lie in a folder. */
export async function checkMedia(reader: Reader, folder: string): Promise<MediaCheck> {
  let files = 0;
  let missing = 0;
  for await (const page of listMediaFiles(reader)) {
    const whole = await Promise.all(page.map((row) => isWhole(folder, row)));
    files += page.length;
    missing += whole.filter((is) => !is).length;
  }
  return { files, missing };
}

async function isWhole(folder: string, { content_id: id, size }: MediaFileRow): Promise<boolean> {
  const found = await stat(join(folder, id.slice(0, 2), id)).catch(() => undefined);
  return found?.size === size;
}
