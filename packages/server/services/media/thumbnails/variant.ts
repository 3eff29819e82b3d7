export type Wanted = {
  readonly width: number;
  readonly height: number;
  readonly method: 'crop' | 'scale';
  readonly animated: boolean;
};

export type Size = { readonly width: number; readonly height: number };

/** One of the thumbnails that are made of an image. There are few of them: each is stored. */
export type Variant = {
  /** `undefined` for the size of the image itself. */
  readonly size: Size | undefined;
  readonly method: 'crop' | 'scale';
  readonly animated: boolean;
};

/** The sizes that the spec wants scaled, and one for screens with many pixels. */
const boxes: readonly Size[] = [
  { width: 32, height: 32 },
  { width: 96, height: 96 },
  { width: 320, height: 240 },
  { width: 640, height: 480 },
  { width: 800, height: 600 },
  { width: 1600, height: 1200 },
];
const edges: readonly number[] = boxes.map(({ width }) => width);

/** Steps between a square and a line. */
const ratioSteps = 8;

/** The next larger edge for the longer side; the shape is what was asked for, or nearly. */
function cropSize({ width, height }: Size): Size | undefined {
  const longer = Math.max(width, height);
  const edge = edges.find((edge) => edge >= longer);
  if (edge === undefined) return undefined;
  const shorter = (edge * Math.ceil((Math.min(width, height) / longer) * ratioSteps)) / ratioSteps;
  return width >= height ? { width: edge, height: shorter } : { width: shorter, height: edge };
}

/**
 * With the smallest of the sizes made that is not smaller than the wanted one, or no other than the image's own.
 *
 * > Servers MUST NOT return a smaller thumbnail than requested, unless the original content makes that impossible.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#thumbnails}
 */
export function chooseVariant(wanted: Wanted): Variant {
  const { width, height, method, animated } = wanted;
  const size = method === 'crop' ? cropSize(wanted) : boxes.find((box) => box.width >= width && box.height >= height);
  return { size, method, animated };
}

/** Unique and stable: the key under which the thumbnail is stored. */
export function variantName({ size, method, animated }: Variant): string {
  return `${size ? `${size.width}x${size.height}-${method}` : 'original'}${animated ? '-animated' : ''}`;
}

/**
 * How large the thumbnail of an image is, or `undefined` if the image is too small for it: nothing is enlarged. A scaled
 * thumbnail covers the wanted box; a cropped one has the box's shape.
 */
export function thumbnailSize(image: Size, { size, method }: Variant): Size | undefined {
  if (size === undefined) return undefined;
  const { width, height } = size;
  const factor = Math.max(width / image.width, height / image.height);
  if (method === 'scale') {
    if (factor >= 1) return undefined;
    return { width: Math.ceil(image.width * factor), height: Math.ceil(image.height * factor) };
  }
  if (image.width <= width && image.height <= height) return undefined;
  const shrink = Math.max(1, factor);
  return { width: Math.max(1, Math.floor(width / shrink)), height: Math.max(1, Math.floor(height / shrink)) };
}
