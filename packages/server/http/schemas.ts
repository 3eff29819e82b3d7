import type { JsonObject } from '@portico/protocol';
import { Type } from 'typebox';

/** An object about whose fields the endpoint says nothing. */
export const jsonObject = Type.Unsafe<JsonObject>(Type.Object({}, { title: 'JsonObject' }));
/** What only clients understand: an object by the spec, and text in older suites and clients. */
export const opaque = Type.Union([jsonObject, Type.String()]);

/** `{}` */
export const emptyObject = Type.Object({}, { title: 'Empty' });
