import type { JsonObject, JsonValue } from '@portico/protocol';
import { Type } from 'typebox';

/** What is expected of an event depends on the version of its room: nothing here looks into it. */
export const pdu = Type.Unsafe<JsonObject>(Type.Object({}));
/** Where one wrong entry must not spoil the others. */
export const anything = Type.Unsafe<JsonValue>(Type.Unknown());
export const anyObject = Type.Unsafe<JsonObject>(Type.Object({}));

export const roomParams = Type.Object({ roomId: Type.String() });
export const roomUserParams = Type.Object({ roomId: Type.String(), userId: Type.String() });
export const roomEventParams = Type.Object({ roomId: Type.String(), eventId: Type.String() });

/** A list of events of up to 64 KiB each is long before it is complete. */
export const megabyte = 1024 * 1024;
