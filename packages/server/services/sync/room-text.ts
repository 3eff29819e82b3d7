import type { Batch } from './batches.ts';
import { formatPlace } from '../reading/tokens.ts';
import type { SyncPass } from './pass.ts';
import type { StickyPart } from './streams.ts';

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

/** Of sticky events, those that are not in a timeline anyway: "it MUST NOT be included in the `sticky.events` section". */
export function besideTimeline(sticky: readonly StickyPart[] = [], timeline: ReadonlySet<number>): readonly string[] {
  return sticky.filter(({ nid }) => !timeline.has(nid)).map(({ text }) => text);
}

/** What an answer says about one joined room: pieces that are put together once all are known. */
export type JoinedRoom = {
  readonly id: string;
  /** Timeline and state, `undefined` if there is nothing new in them. */
  readonly events: string | undefined;
  /** The events of that timeline, by number. */
  readonly shown: ReadonlySet<number>;
  readonly summary: string | undefined;
};
