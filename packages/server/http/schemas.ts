import type { JsonObject } from '@portico/protocol';
import { Type } from 'typebox';

/** An object about whose fields the endpoint says nothing. */
export const jsonObject = Type.Unsafe<JsonObject>(Type.Object({}, { title: 'JsonObject' }));

/** `{}` */
export const emptyObject = Type.Object({}, { title: 'Empty' });
