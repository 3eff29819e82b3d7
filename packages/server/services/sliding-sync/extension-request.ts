import type { OnlineUser } from '../sync/online-index.ts';
import type { SyncStream } from '../sync/streams.ts';
import type { SyncCore } from '../sync/sync-core.ts';
import type { SentRooms } from './connection-state.ts';
import type { SlidingRequest } from './request.ts';
import type { WantedRoom } from './room-list.ts';

export type ExtensionRequest = {
  readonly request: SlidingRequest;
  readonly user: OnlineUser;
  readonly since: number | undefined;
  readonly upTo: number;
  readonly serials: ReadonlyMap<string, string>;
  /** Letters of the extensions that the client has had up to `since`. */
  readonly known: string;
  readonly wanted: readonly WantedRoom[];
  /** Joined rooms that any list or subscription is about, in a window or not: by number, with their IDs. */
  readonly matched: ReadonlyMap<number, string>;
  /** Joined rooms of which the client gets everything, since it has nothing, or not all that came before. */
  readonly newRooms: ReadonlySet<number>;
  /** What the client has. */
  readonly sent: SentRooms;
  /** Joined rooms that the client has had, and that are not shown now. */
  readonly hidden: ReadonlyMap<number, string>;
};

export function streamNamed(core: SyncCore, name: string): SyncStream {
  const stream = core.context.streams.find((candidate) => candidate.name === name);
  if (stream === undefined) throw new Error(`there is no stream of the name ${name}`);
  return stream;
}
