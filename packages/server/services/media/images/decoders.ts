import type { Sharp, SharpOptions } from 'sharp';

/** What is decoded at all. SVG is a program; every further decoder is a further way in. */
const decoders: ReadonlyMap<string, string> = new Map([
  ['image/jpeg', 'VipsForeignLoadJpegBuffer'],
  ['image/png', 'VipsForeignLoadPngBuffer'],
  ['image/apng', 'VipsForeignLoadPngBuffer'],
  ['image/gif', 'VipsForeignLoadNsgifBuffer'],
  ['image/webp', 'VipsForeignLoadWebpBuffer'],
]);

/** As much of a file as its type shows in. */
const headBytes = 4100;

/** More than that are not decoded, here or by anybody who is told of an image. */
export const mostPixels = 100_000_000;

export type SharpFactory = (input: Uint8Array, options: SharpOptions) => Sharp;

let loaded: Promise<SharpFactory> | undefined;

/** On first use: who never needs an image decoded need not pay for the library. */
export function loadSharp(): Promise<SharpFactory> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.concurrency(1);
    sharp.cache(false);
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({ operation: [...new Set(decoders.values())] });
    return sharp;
  });
  return loaded;
}

/** What an image is, by its bytes; `undefined` if it is none that is decoded here. */
export async function sniffImage(bytes: Uint8Array): Promise<string | undefined> {
  const { fileTypeFromBuffer } = await import('file-type');
  const type = await fileTypeFromBuffer(bytes.subarray(0, headBytes)).catch(() => undefined);
  return type !== undefined && decoders.has(type.mime) ? type.mime : undefined;
}
