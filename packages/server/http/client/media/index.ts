import type { Media } from '../../../services/media/media-service.ts';
import type { UrlPreviews } from '../../../services/previews/url-previews.ts';
import type { Endpoint } from '../../endpoint.ts';
import { createContent } from './create-content.ts';
import { getLegacyMediaConfig, getMediaConfig } from './get-config.ts';
import { getContent, getNamedContent, getThumbnail } from './get-content.ts';
import { getLegacyContent, getLegacyNamedContent, getLegacyThumbnail } from './get-legacy-content.ts';
import { getLegacyUrlPreview, getUrlPreview } from './get-url-preview.ts';
import { uploadContentToMxc } from './upload-content-to-mxc.ts';
import { uploadContent } from './upload-content.ts';

export type MediaServices = {
  readonly media: Media;
  readonly urlPreviews?: UrlPreviews;
  readonly mediaAccess: { readonly requireAuthentication: boolean };
};

/** The content repository. */
export const mediaEndpoints: readonly Endpoint<MediaServices>[] = [
  uploadContent,
  createContent,
  uploadContentToMxc,
  getMediaConfig,
  getContent,
  getNamedContent,
  getThumbnail,
  getLegacyMediaConfig,
  getLegacyContent,
  getLegacyNamedContent,
  getLegacyThumbnail,
  getUrlPreview,
  getLegacyUrlPreview,
];
