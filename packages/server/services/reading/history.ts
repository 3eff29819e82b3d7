/** What came of an attempt: `later`, where too much else is under way; `never`, where nobody has it, for a while at least. */
export type Filled = 'filled' | 'later' | 'never';

type Room = { readonly roomNid: number; readonly roomId: string };

/** What other servers know of a room's past, and this one does not yet. */
export interface History {
  /** Fetches some of what is missing in front of the event at a place. After `filled` there is something new to be read. */
  fillGap(room: Room, order: number): Promise<Filled>;
  /** The event closest to a time, in one direction, that another server names. Afterwards it is here, and what came before it. */
  findByTime(
    room: Room,
    ts: number,
    direction: 'forwards' | 'backwards',
  ): Promise<{ readonly eventId: string; readonly ts: number } | undefined>;
}

/** Where this server talks to no others. */
export const noHistory: History = { fillGap: async () => 'never', findByTime: async () => undefined };
