/** Of the canonical JSON of an event, signatures included. {@link https://spec.matrix.org/v1.19/client-server-api/#size-limits} */
export const maxPduBytes = 65_536;

/** For `sender`, `room_id`, `state_key`, `type` and `event_id`, in bytes of UTF-8. */
export const maxFieldBytes = 255;

/** Of one event, in `prev_events`. {@link https://spec.matrix.org/v1.19/rooms/v12/#event-format} */
export const maxPrevEvents = 20;
/** Of one event, in `auth_events`. */
export const maxAuthEvents = 10;

/**
 * > Must be less than the maximum value for an integer (2^53 - 1). If the room's depth is already at the limit, the
 * > depth must be set to the limit.
 *
 * Our own events keep to this in every room version.
 */
export const maxDepth = Number.MAX_SAFE_INTEGER;

/** What room versions 1 to 5 allow to others, in `depth` and `origin_server_ts`. As a JavaScript number it is 2^63. */
export const maxLenientInteger = 2 ** 63;
