import type { Readable } from 'node:stream';
import { Type } from 'typebox';
import { MatrixError } from '../errors/matrix-error.ts';

/** Takes a part of a body, which is gone when this returns, or when what it returns resolves. Throws to have no more. */
export type TakeChunk = (chunk: Buffer) => Promise<void> | undefined;

/** A body of any type and size, not read yet. */
export type RawBody = {
  /** As the client says. */
  readonly contentType: string | undefined;
  /** As the client says, in bytes. */
  readonly length: number | undefined;
  /**
   * Reads it, once, and no faster than it is taken. Rejects with what `take` throws, or if the body does not come to its
   * end. Whoever stops early may still answer.
   */
  read(take: TakeChunk): Promise<void>;
};

/** A whole body that is short. Throws `request.too-large`. */
export async function readLimited(body: RawBody, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  await body.read((chunk) => {
    length += chunk.length;
    if (length > maxBytes) throw new MatrixError('request.too-large');
    chunks.push(Buffer.from(chunk));
    return undefined;
  });
  return Buffer.concat(chunks);
}

/** Declares that an endpoint takes its body as it comes. */
export const rawBody = Type.Unsafe<RawBody>({ type: 'string', format: 'binary' });

/** Declares that an endpoint answers with `Bytes`, or a `ByteStream`. */
export const rawBytes = Type.Unsafe<never>({ type: 'string', format: 'binary' });

/** The first and the last byte. */
export type ByteRange = { readonly start: number; readonly end: number };

type BytesOptions = {
  readonly size: number;
  /** Names these very bytes: others have another one. Without quotes. */
  readonly tag: string;
  readonly headers: { readonly [name: string]: string };
  /** Called if they are wanted, with a range if not all of them are. The stream's chunks are given away. */
  readonly open: (range: ByteRange | undefined) => Promise<Readable>;
};

/** A response that is not JSON but bytes which never change. Conditions and ranges are answered by the framework. */
export class Bytes {
  readonly size: number;
  readonly tag: string;
  readonly headers: BytesOptions['headers'];
  readonly open: BytesOptions['open'];
  constructor({ size, tag, headers, open }: BytesOptions) {
    this.size = size;
    this.tag = tag;
    this.headers = headers;
    this.open = open;
  }
}

export function bytes(options: BytesOptions): Bytes {
  return new Bytes(options);
}

/** A response of bytes that are made as they are sent: nobody knows beforehand how many they will be. */
export class ByteStream {
  readonly headers: BytesOptions['headers'];
  readonly open: () => Readable;
  constructor({ headers, open }: Pick<ByteStream, 'headers' | 'open'>) {
    this.headers = headers;
    this.open = open;
  }
}

export function byteStream(options: Pick<ByteStream, 'headers' | 'open'>): ByteStream {
  return new ByteStream(options);
}
