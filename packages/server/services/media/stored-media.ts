import type { MediaContent, MediaRow } from '@portico/storage/stores/media/media.ts';

/** Media whose content is here. */
export type StoredMedia = MediaContent;

/** `undefined` where the content has not come yet. */
export function contentOf(row: MediaRow): StoredMedia | undefined {
  const { content_id: contentId, content_type: contentType, upload_name: name, size } = row;
  if (contentId === null || contentType === null || size === null) return undefined;
  return { contentId, contentType, name: name ?? undefined, size };
}
