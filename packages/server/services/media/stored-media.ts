import type { MediaContent, MediaRow } from '@portico/storage/stores/media/media.ts';

/** Media whose content is here. */
export type StoredMedia = MediaContent;

/** `undefined` where the content has not come yet. */
export function contentOf(row: MediaRow): StoredMedia | undefined {
  const { content_id: contentId, content_type: contentType, upload_name: name, size, sha256 } = row;
  if (contentId === null || contentType === null || size === null || sha256 === null) return undefined;
  return { contentId, contentType, name: name ?? undefined, size, sha256 };
}
