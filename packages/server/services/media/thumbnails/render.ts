import type { Metadata, Sharp, SharpOptions } from 'sharp';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { loadSharp, mostPixels, type SharpFactory, sniffImage } from '../images/decoders.ts';
import { thumbnailSize, type Variant } from './variant.ts';

/** `original`: the image as it is fits; its true type is named, whatever its sender called it. */
export type Rendered =
  | { readonly kind: 'original'; readonly contentType: string }
  | { readonly kind: 'image'; readonly contentType: string; readonly bytes: Uint8Array };

/** For images that have to be decoded as a whole, which takes memory. */
const mostPixelsAtOnce = 32_000_000;
const mostFrames = 500;
const seconds = 15;

function refuseLarge({ width, height, pages = 1, format, isProgressive }: Metadata): void {
  const pixels = width * height;
  const isWhole = isProgressive || format === 'webp' || format === 'gif' || pages > 1;
  if (pixels > (isWhole ? mostPixelsAtOnce : mostPixels)) throw new MatrixError('media.too-large-to-thumbnail');
}

/** Whether all its frames are worth their work. */
function isAnimatable({ width, height, pages = 1, format }: Metadata): boolean {
  const isFormat = format === 'gif' || format === 'webp';
  return isFormat && pages > 1 && pages <= mostFrames && width * height * pages <= mostPixels;
}

function encode(image: Sharp, contentType: string, hasAlpha: boolean, animate: boolean): [Sharp, string] {
  if (animate) return [image.webp({ quality: 75, effort: 2 }), 'image/webp'];
  // What is drawn stays sharp; what is photographed stays small.
  const isDrawing = hasAlpha || contentType === 'image/png' || contentType === 'image/gif';
  return isDrawing ? [image.png({ compressionLevel: 6 }), 'image/png'] : [image.jpeg({ quality: 80 }), 'image/jpeg'];
}

async function resize(sharp: SharpFactory, bytes: Uint8Array, contentType: string, variant: Variant) {
  const options: SharpOptions = { limitInputPixels: mostPixels, failOn: 'error' };
  const metadata = await sharp(bytes, { ...options, limitInputPixels: false }).metadata();
  refuseLarge(metadata);
  const upright = metadata.autoOrient;
  const size = thumbnailSize(upright, variant);
  const animate = variant.animated && isAnimatable(metadata);
  const moves = (metadata.pages ?? 1) > 1 || contentType === 'image/apng';
  // > When `false`, the server MUST NOT return an animated thumbnail.
  if (size === undefined && (!moves || variant.animated)) return undefined;
  const { width, height } = size ?? upright;
  const image = sharp(bytes, { ...options, animated: animate })
    .timeout({ seconds })
    .autoOrient()
    .resize({ width, height, fit: variant.method === 'crop' ? 'cover' : 'fill' });
  const [encoded, type] = encode(image, contentType, metadata.hasAlpha, animate);
  return { kind: 'image', contentType: type, bytes: await encoded.toBuffer() } as const;
}

/**
 * Makes a thumbnail. Runs on the thread pool. Throws `media.no-thumbnail`
 * for what is no image or a broken one, and `media.too-large-to-thumbnail`.
 */
export async function renderThumbnail(bytes: Uint8Array, variant: Variant): Promise<Rendered> {
  const contentType = await sniffImage(bytes);
  if (contentType === undefined) throw new MatrixError('media.no-thumbnail');
  const sharp = await loadSharp();
  try {
    return (await resize(sharp, bytes, contentType, variant)) ?? { kind: 'original', contentType };
  } catch (error) {
    if (error instanceof MatrixError) throw error;
    throw new MatrixError('media.no-thumbnail');
  }
}
