import type { RoomBook } from './rooms/room-book.ts';
import type { Errand } from './server/errand.ts';
import type { Session } from './server/session.ts';

/** What every subject of the page is made from. */
export type PageProps = {
  readonly session: Session;
  readonly rooms: RoomBook;
  /** What an app has led them here for. */
  readonly errand: Errand | undefined;
  /** Shows the log-in, and why. */
  onEnd(why: string): void;
};
