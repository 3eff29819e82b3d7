import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { fail, type Finding, ok, warn } from './finding.ts';

const megabyte = 1e6;
/** With less than this, writes are refused before long. */
const tooLittle = 200 * megabyte;
const little = 2000 * megabyte;
/** Some file systems have a fixed number of files. */
const fewFiles = 10_000;

export async function checkDisk(folders: readonly string[]): Promise<Finding[]> {
  const there = [...new Set(folders)].filter((folder) => existsSync(folder));
  return Promise.all(
    there.map(async (folder) => {
      const { bavail, bsize, blocks, files, ffree } = await statfs(folder);
      return judge(folder, { free: bavail * bsize, all: blocks * bsize, files, freeFiles: ffree });
    }),
  );
}

type Room = { readonly free: number; readonly all: number; readonly files: number; readonly freeFiles: number };

export function judge(folder: string, { free, all, files, freeFiles }: Room): Finding {
  const said = `${(free / 1e9).toFixed(1)} of ${(all / 1e9).toFixed(1)} GB are free for ${folder}`;
  const advice = 'Make room or give it more. With a full disk people can read and not write.';
  if (free < tooLittle) return fail('disk', said, advice);
  if (files > 0 && freeFiles < fewFiles)
    return warn('disk', `only ${freeFiles} more files fit below ${folder}`, advice);
  return free < little ? warn('disk', said, advice) : ok('disk', said);
}
