import { bytes, type Bytes } from '../../bytes.ts';
import type { Media } from '../../../services/media/media-service.ts';
import { contentDisposition } from './content-disposition.ts';

/**
 * What a browser may show as a page of this server's, because it cannot run it.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#serving-inline-content}
 */
const inlineTypes: ReadonlySet<string> = new Set([
  'text/css',
  'text/plain',
  'text/csv',
  'application/json',
  'application/ld+json',
  'image/jpeg',
  'image/gif',
  'image/png',
  'image/apng',
  'image/webp',
  'image/avif',
  'video/mp4',
  'video/webm',
  'video/ogg',
  'video/quicktime',
  'audio/mp4',
  'audio/webm',
  'audio/aac',
  'audio/mpeg',
  'audio/ogg',
  'audio/wave',
  'audio/wav',
  'audio/x-wav',
  'audio/x-pn-wav',
  'audio/flac',
  'audio/x-flac',
]);

/**
 * Against files that want to be pages.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#content-repository}
 */
const safety = {
  'Content-Security-Policy':
    "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; object-src 'self';",
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'cross-origin',
} as const;

/** Content never changes. Where a token was needed, shared caches must not hand it to those without one. */
const caching = {
  shared: 'public, max-age=31536000, immutable',
  private: 'private, max-age=31536000, immutable',
} as const;
export type Caching = keyof typeof caching;

type Content = {
  readonly contentId: string;
  readonly contentType: string;
  readonly size: number;
};

/** The response that carries a file. */
export function serve(media: Media, content: Content, name: string | undefined, cached: Caching): Bytes {
  const { contentId, contentType, size } = content;
  const [essence = ''] = contentType.split(';');
  const disposition = inlineTypes.has(essence.trim()) ? 'inline' : 'attachment';
  return bytes({
    size,
    tag: contentId,
    headers: {
      ...safety,
      'Content-Type': contentType,
      'Content-Disposition': contentDisposition(disposition, name),
      'Cache-Control': caching[cached],
    },
    open: (range) => media.read(contentId, range ?? { start: 0, end: size - 1 }),
  });
}
