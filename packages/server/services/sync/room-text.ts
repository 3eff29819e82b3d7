import type { Batch } from './batches.ts';
import { formatPlace } from '../reading/tokens.ts';
import type { SyncPass } from './pass.ts';

/** A timeline section and its state section. */
export function timelineAndState(
  { stateField }: SyncPass,
  { timeline }: Pick<Batch, 'timeline'>,
  texts: { readonly timeline: string; readonly state: string },
): string {
  return (
    `"timeline":{"events":[${texts.timeline}],"limited":${timeline.limited},` +
    `"prev_batch":"${formatPlace(timeline.start)}"},"${stateField}":{"events":[${texts.state}]}`
  );
}

/** What an answer says about one joined room: pieces that are put together once all are known. */
export type JoinedRoom = {
  readonly id: string;
  /** Timeline and state, `undefined` if there is nothing new in them. */
  readonly events: string | undefined;
  readonly summary: string | undefined;
};
