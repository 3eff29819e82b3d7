import type { JsonObject } from '@portico/protocol';
import { Type } from 'typebox';

/** An object about whose fields the endpoint says nothing. */
export const jsonObject = Type.Unsafe<JsonObject>(Type.Object({}, { title: 'JsonObject' }));
/** What only clients understand: an object by the spec, and text in older suites and clients. */
export const opaque = Type.Union([jsonObject, Type.String()]);

/**
 * Where a page begins or ends. An empty one is as good as none: clients in use write that where they know of none, libQuotient
 * and matrix-nio for example, and no token of this server is empty. See `unsaidIfEmpty`.
 */
export const pageToken = Type.Optional(Type.String({ minLength: 1 }));

/** `{}` */
export const emptyObject = Type.Object({}, { title: 'Empty' });
