import type { ChainLink, ChainPosition } from './closure.ts';

export type NewStateEvent = { readonly eventNid: number; readonly authEventNids: readonly number[] };

/** What is known of a placed event. */
export type Placed = {
  readonly position: ChainPosition;
  /** Some of what its auth chain reaches, itself included, as flat pairs (chain, seq): enough to leave out most needless links. */
  readonly covers: readonly number[];
};

/** What placing an event depends on. */
export interface PlacedEvents {
  get(eventNid: number): Placed | undefined;
  /** Whether nothing has followed this event in its chain, and nobody else can be about to put something there. */
  isOpen(eventNid: number): boolean;
}

export type PlacedEvent = NewStateEvent &
  Placed & {
    readonly links: readonly ChainLink[];
    /** The auth event whose chain it continues. */
    readonly continues: number | undefined;
  };

const maxCovers = 24;

/**
 * Puts an event at the end of the chain of one of its auth events, the latest whose chain is open, or at the start of a chain
 * of its own, which is named after it; links it to those auth events that are not reached through the others. `undefined` if
 * the place of an auth event is not known.
 */
export function place(event: NewStateEvent, known: PlacedEvents): PlacedEvent | undefined {
  const auth: (Placed & { readonly eventNid: number })[] = [];
  for (const eventNid of new Set(event.authEventNids)) {
    const placed = known.get(eventNid);
    if (placed === undefined) return undefined;
    auth.push({ eventNid, position: placed.position, covers: placed.covers });
  }
  auth.sort((a, b) => b.eventNid - a.eventNid);
  const continued = auth.find(({ eventNid }) => known.isOpen(eventNid));
  const position =
    continued === undefined
      ? { chain: event.eventNid, seq: 1 }
      : { chain: continued.position.chain, seq: continued.position.seq + 1 };
  const targets = auth.filter(
    (one) => one !== continued && !auth.some((other) => other !== one && reaches(other, one)),
  );
  return {
    eventNid: event.eventNid,
    authEventNids: auth.map(({ eventNid }) => eventNid),
    position,
    covers: merge(position, continued === undefined ? auth : [continued, ...auth]),
    links: targets.map((target) => ({ origin: position, target: target.position })),
    continues: continued?.eventNid,
  };
}

function reaches(from: Placed, to: Placed): boolean {
  const { chain, seq } = to.position;
  if (from.position.chain === chain) return from.position.seq >= seq;
  for (let at = 0; at < from.covers.length; at += 2) {
    if (from.covers[at] === chain) return from.covers[at + 1]! >= seq;
  }
  return false;
}

function merge(own: ChainPosition, auth: readonly Placed[]): number[] {
  const furthest = new Map<number, number>([[own.chain, own.seq]]);
  for (const { position } of auth) raise(furthest, position.chain, position.seq);
  for (const { covers } of auth) {
    for (let at = 0; at < covers.length && furthest.size < maxCovers; at += 2) {
      raise(furthest, covers[at]!, covers[at + 1]!);
    }
  }
  return [...furthest].flat();
}

function raise(furthest: Map<number, number>, chain: number, seq: number): void {
  if ((furthest.get(chain) ?? 0) < seq) furthest.set(chain, seq);
}
