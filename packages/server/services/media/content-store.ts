import type { Readable } from 'node:stream';

/** The first and the last byte. */
export type ContentRange = { readonly start: number; readonly end: number };

/** Content that is on its way in. Nobody can read it before it is finished. */
export interface ContentWriter {
  readonly contentId: string;
  /** The chunk may be reused when it resolves, or at once if there is nothing to wait for. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /** Resolves once the content is there to stay. */
  finish(): Promise<void>;
  /** Throws it away. */
  abort(): Promise<void>;
}

/**
 * Where the bytes of media lie, under IDs that are made here: never under anything that a person chose. Content never
 * changes. Which content belongs to which media is known to the database only.
 */
export interface ContentStore {
  create(): Promise<ContentWriter>;
  /** Resolves when reading has begun. The chunks belong to who reads them. Throws `media.not-found`. */
  read(contentId: string, range: ContentRange | undefined): Promise<Readable>;
  /** Whether it is there or not. */
  delete(contentId: string): Promise<void>;
  /** Everything that is finished, in batches. */
  list(): AsyncIterable<readonly string[]>;
  /** When it was finished, in milliseconds since 1970; `undefined` if it is not there. */
  findTime(contentId: string): Promise<number | undefined>;
  /** Forgets what was never finished. For the start, when nothing is on its way. */
  clearUnfinished(): Promise<void>;
}
