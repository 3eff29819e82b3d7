import { type RoomEvent, stickyEnd } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { maxStickyOfSender, readStickyEnds, type Stickiness } from '@portico/storage/stores/events/sticky-events.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/** How long an event is sticky that this server gets now; `undefined` for one that is not. */
export function stickinessOf(
  { stickyMs: durationMs, originServerTs }: Pick<RoomEvent, 'stickyMs' | 'originServerTs'>,
  at: number,
  isOwn: boolean,
): Stickiness | undefined {
  if (durationMs === undefined) return undefined;
  return { durationMs, until: stickyEnd({ originServerTs, durationMs }, at), at, isOwn };
}

/** Refuses one more sticky event of a person who has as many in a room as people are told of, until the first of them ends. */
export async function refuseTooManySticky(reader: Reader, roomNid: number, sender: string, now: number): Promise<void> {
  const ends = await readStickyEnds(reader, roomNid, sender, now, maxStickyOfSender);
  const [first] = ends;
  if (first === undefined || ends.length < maxStickyOfSender) return;
  throw new MatrixError('request.limit-exceeded', {
    message: `You have ${maxStickyOfSender} sticky events in this room already.`,
    fields: { retry_after_ms: Math.max(first - now, 1) },
  });
}
