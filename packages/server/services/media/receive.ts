import { MatrixError } from '../../errors/matrix-error.ts';
import type { ContentStore } from './content-store.ts';

export type Received = { readonly contentId: string; readonly size: number };

/** Stores what comes in, at most so much of it. Nothing is left if it fails. Throws `media.too-large`. */
export async function receive(
  store: ContentStore,
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Received> {
  const writer = await store.create();
  try {
    let size = 0;
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > maxBytes) throw new MatrixError('media.too-large');
      const writing = writer.write(chunk);
      if (writing) await writing;
    }
    await writer.finish();
    return { contentId: writer.contentId, size };
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Stores what is in memory already. */
export function receiveBytes(store: ContentStore, bytes: Uint8Array): Promise<Received> {
  return receive(store, once(bytes), bytes.length);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
