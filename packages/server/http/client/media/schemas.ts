import { Type } from 'typebox';

/** Parts of an `mxc://` URI. */
export const mediaParams = Type.Object({ serverName: Type.String(), mediaId: Type.String() });
export const namedMediaParams = Type.Object({
  serverName: Type.String(),
  mediaId: Type.String(),
  fileName: Type.String(),
});

const timeout = { timeout_ms: Type.Optional(Type.Integer({ minimum: 0 })) };
/** Of endpoints without authentication, which other servers call too. */
const routing = { allow_remote: Type.Optional(Type.Boolean()), allow_redirect: Type.Optional(Type.Boolean()) };

export const downloadQuery = Type.Object(timeout);
export const legacyDownloadQuery = Type.Object({ ...timeout, ...routing });

const thumbnail = {
  width: Type.Integer({ minimum: 1 }),
  height: Type.Integer({ minimum: 1 }),
  method: Type.Optional(Type.Union([Type.Literal('crop'), Type.Literal('scale')])),
  animated: Type.Optional(Type.Boolean()),
};

export const thumbnailQuery = Type.Object({ ...thumbnail, ...timeout });
export const legacyThumbnailQuery = Type.Object({ ...thumbnail, ...timeout, ...routing });

export const uploadQuery = Type.Object({ filename: Type.Optional(Type.String({ maxLength: 1024 })) });

export const mediaConfig = Type.Object({ 'm.upload.size': Type.Integer() }, { title: 'MediaConfig' });
