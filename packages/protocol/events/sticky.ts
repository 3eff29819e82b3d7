import { isJsonObject, type JsonValue } from '../json/value.ts';

/**
 * Sticky events: for a while each of them reaches everybody who is in the room, as an entry of the state would.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4354}
 */
export const stickyField = 'msc4354_sticky';

/** "Valid values are the integer range 0-3600000 (1 hour)." Milliseconds. */
export const maxStickyDuration = 60 * 60 * 1000;

/**
 * For how many milliseconds an event is sticky by what its field says; `undefined` for an event that is not. What is longer
 * than it may be counts as the longest: "end time as `start_time + min(sticky_duration_ms, 3600000)`".
 */
export function stickyDuration(field: JsonValue | undefined): number | undefined {
  if (!isJsonObject(field)) return undefined;
  const { duration_ms: duration } = field;
  if (typeof duration !== 'number' || !Number.isInteger(duration) || duration < 0) return undefined;
  return Math.min(duration, maxStickyDuration);
}

/**
 * When an event ceases to be sticky. "The start time is `min(received_ts, origin_server_ts)`. This ensures that malicious
 * origin timestamps cannot specify start times in the future."
 */
export function stickyEnd(
  { originServerTs, durationMs }: { readonly originServerTs: number; readonly durationMs: number },
  receivedAt: number,
): number {
  return Math.min(receivedAt, originServerTs) + durationMs;
}

/** "If the end time is in the future, the event remains sticky." */
export function isSticky(end: number, now: number): boolean {
  return end > now;
}
