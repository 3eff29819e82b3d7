import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { ContentStore } from './content-store.ts';
import { errorCode } from './disk-errors.ts';
import { createFileWriter } from './file-writer.ts';

type Options = {
  readonly folder: string;
  /** Whether what is finished has to survive a power cut. */
  readonly sync: boolean;
  readonly randomBytes: (count: number) => Uint8Array;
};

/** Hexadecimal, for file systems to which `a` and `A` are the same. */
const contentIdFormat = /^[0-9a-f]{32}$/;
/** Folders, named by how the IDs of what is in them begin. */
const shelves = Array.from({ length: 256 }, (_, number) => number.toString(16).padStart(2, '0'));

/** Written with one call to the system: about the memory of one upload. */
const writtenAtOnce = 512 * 1024;
/** Read with one call: half of the memory of a download. */
const readAtOnce = 256 * 1024;
/**
 * Put into one folder, one after the other, before another one is drawn. Each into one of its own would have nearly every
 * one of the first hundreds make its folder, which takes a rename that fails, another one, and the sync of one more folder.
 */
const filesInARow = 256;
/** Buffers kept for the next uploads. */
const mostSpare = 8;

/** Content as files: 256 folders, with the ID as the file's name. */
export async function openFileStore({ folder, sync, randomBytes }: Options): Promise<ContentStore> {
  const unfinished = join(folder, 'unfinished');
  await mkdir(unfinished, { recursive: true, mode: 0o700 });

  const spare: Buffer[] = [];
  let shelf = '';
  let onShelf = filesInARow;

  function drawId(): string {
    const drawn = Buffer.from(randomBytes(16)).toString('hex');
    if (onShelf === filesInARow) {
      shelf = drawn.slice(0, 2);
      onShelf = 0;
    }
    onShelf += 1;
    return shelf + drawn.slice(2);
  }

  function pathOf(contentId: string): string {
    if (!contentIdFormat.test(contentId)) throw new Error('Not the ID of a content');
    return join(folder, contentId.slice(0, 2), contentId);
  }

  async function namesIn(shelf: string): Promise<string[]> {
    try {
      return (await readdir(join(folder, shelf))).filter((name) => contentIdFormat.test(name));
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  return {
    async create() {
      const contentId = drawId();
      const temporaryPath = join(unfinished, contentId);
      const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(writtenAtOnce);
      const giveBack = () => {
        if (spare.length < mostSpare) spare.push(buffer);
      };
      const writer = await createFileWriter({ contentId, temporaryPath, finalPath: pathOf(contentId), sync, buffer });
      return {
        ...writer,
        async finish() {
          await writer.finish();
          giveBack();
        },
      };
    },
    async read(contentId, range) {
      const stream = createReadStream(pathOf(contentId), { ...range, highWaterMark: readAtOnce });
      try {
        await once(stream, 'open');
      } catch (error) {
        throw errorCode(error) === 'ENOENT' ? new MatrixError('media.not-found') : error;
      }
      return stream;
    },
    delete: (contentId) => rm(pathOf(contentId), { force: true }),
    async *list() {
      for (const shelf of shelves) yield await namesIn(shelf);
    },
    async findTime(contentId) {
      return (await stat(pathOf(contentId)).catch(() => undefined))?.mtimeMs;
    },
    async clearUnfinished() {
      for (const name of await readdir(unfinished)) await rm(join(unfinished, name), { force: true });
    },
  };
}
