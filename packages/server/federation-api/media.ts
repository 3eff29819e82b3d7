import { Type } from 'typebox';
import { operation } from './operation.ts';

/** As much as is asked for: who asks says how much that may be. */
const answerLimit = Number.MAX_SAFE_INTEGER;
const timeout = 10 * 60_000;
const params = Type.Object({ mediaId: Type.String() });
const patience = { timeout_ms: Type.Optional(Type.Integer({ minimum: 0 })) };
/** A body of two parts: what is known of the file, and the file or where it is. */
const multipart = Type.Unsafe<never>({ type: 'string', format: 'binary' });

export const downloadMedia = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/media/download/:mediaId',
  operationId: 'getContentOfServer',
  summary: 'Gives a file of this server.',
  auth: 'server',
  params,
  query: Type.Object(patience),
  response: multipart,
  answerLimit,
  timeout,
});

export const downloadThumbnail = operation({
  method: 'GET',
  path: '/_matrix/federation/v1/media/thumbnail/:mediaId',
  operationId: 'getContentThumbnailOfServer',
  summary: 'Gives a thumbnail of a file of this server.',
  auth: 'server',
  params,
  query: Type.Object({
    ...patience,
    width: Type.Integer({ minimum: 1 }),
    height: Type.Integer({ minimum: 1 }),
    method: Type.Optional(Type.Union([Type.Literal('crop'), Type.Literal('scale')])),
    animated: Type.Optional(Type.Boolean()),
  }),
  response: multipart,
  answerLimit,
  timeout,
});

/** What servers offer that do not know the other way yet. It is not signed. */
export const downloadLegacyMedia = operation({
  method: 'GET',
  path: '/_matrix/media/v3/download/:serverName/:mediaId',
  operationId: 'getLegacyContentOfServer',
  summary: 'Gives a file.',
  auth: 'none',
  params: Type.Object({ serverName: Type.String(), mediaId: Type.String() }),
  query: Type.Object({ ...patience, allow_remote: Type.Boolean() }),
  response: multipart,
  answerLimit,
  timeout,
});
