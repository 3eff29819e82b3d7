import { loadSharp, mostPixels, sniffImage } from './decoders.ts';

export type ImageFacts = { readonly contentType: string; readonly width: number; readonly height: number };

/** What an image is and how large it is shown, from its head; `undefined` for what is no image, a broken or a huge one. */
export async function readImageFacts(bytes: Uint8Array): Promise<ImageFacts | undefined> {
  const contentType = await sniffImage(bytes);
  if (contentType === undefined) return undefined;
  const sharp = await loadSharp();
  try {
    const { autoOrient } = await sharp(bytes, { limitInputPixels: mostPixels }).metadata();
    const { width, height } = autoOrient;
    return width * height > mostPixels ? undefined : { contentType, width, height };
  } catch {
    return undefined;
  }
}
