import type { ErrorEntry } from '../error-entry.ts';

/** Media, and previews of links. */
export const mediaErrors = {
  'media.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There are no such media.' },
  'media.not-yet-uploaded': {
    errcode: 'M_NOT_YET_UPLOADED',
    status: 504,
    message: 'The content has not been uploaded yet.',
  },
  'media.already-uploaded': {
    errcode: 'M_CANNOT_OVERWRITE_MEDIA',
    status: 409,
    message: 'There is content at this address already.',
  },
  'media.not-yours': { errcode: 'M_FORBIDDEN', status: 403, message: 'Somebody else made this address.' },
  'media.too-many-pending': {
    errcode: 'M_LIMIT_EXCEEDED',
    status: 429,
    message: 'Too many addresses of yours wait for their content.',
  },
  'media.too-many-uploads': { errcode: 'M_LIMIT_EXCEEDED', status: 429, message: 'Too many uploads at the same time.' },
  'media.too-large': { errcode: 'M_TOO_LARGE', status: 413, message: 'The file is too large.' },
  'media.too-large-to-fetch': {
    errcode: 'M_TOO_LARGE',
    status: 502,
    message: 'The file is too large to be fetched from its server.',
  },
  'media.no-thumbnail': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'No thumbnails can be made of this content.',
  },
  'media.too-large-to-thumbnail': {
    errcode: 'M_TOO_LARGE',
    status: 413,
    message: 'The image is too large to make a thumbnail of.',
  },
  'preview.disabled': { errcode: 'M_UNRECOGNIZED', status: 404, message: 'This server makes no previews of links.' },
  'preview.bad-url': { errcode: 'M_INVALID_PARAM', status: 400, message: 'This is no address of a page on the web.' },
  'preview.host-refused': { errcode: 'M_FORBIDDEN', status: 403, message: 'No previews are made of this site.' },
  'preview.failed': { errcode: 'M_UNKNOWN', status: 502, message: 'There is no page to be had at this address.' },
  'preview.too-many': {
    errcode: 'M_LIMIT_EXCEEDED',
    status: 429,
    message: 'Too many previews that you have asked for are still being made.',
  },
} as const satisfies Record<string, ErrorEntry>;
