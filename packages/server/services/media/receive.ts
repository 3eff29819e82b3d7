import { MatrixError } from '../../errors/matrix-error.ts';
import type { ContentStore } from './content-store.ts';

export type Received = { readonly contentId: string; readonly size: number };

/**
 * Gives a file to `take` part by part, no faster than it is taken. A part is gone when `take` returns, or when what it returns
 * resolves. Rejects with what it throws, or if the file does not come to its end.
 */
export type ReadFile = (take: (chunk: Uint8Array) => Promise<void> | undefined) => Promise<void>;

/** Stores what comes in, at most so much of it. Nothing is left if it fails. Throws `media.too-large`. */
export async function receive(store: ContentStore, read: ReadFile, maxBytes: number): Promise<Received> {
  const writer = await store.create();
  try {
    let size = 0;
    await read((chunk) => {
      size += chunk.length;
      if (size > maxBytes) throw new MatrixError('media.too-large');
      return writer.write(chunk);
    });
    await writer.finish();
    return { contentId: writer.contentId, size };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Stores what is in memory already. */
export function receiveBytes(store: ContentStore, bytes: Uint8Array): Promise<Received> {
  return receive(store, async (take) => take(bytes), bytes.length);
}

export function readChunks(chunks: AsyncIterable<Uint8Array>): ReadFile {
  return async (take) => {
    for await (const chunk of chunks) await take(chunk);
  };
}
