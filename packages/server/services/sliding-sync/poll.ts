import type { LazyMemory } from '../sync/lazy-memory.ts';
import type { OnlineUser } from '../sync/online-index.ts';
import { maxTimeout, type News, type SyncCore } from '../sync/sync-core.ts';
import type { SyncToken } from '../sync/token.ts';
import type { SlidingAnswer } from './answer.ts';
import type { ConnectionState, SentRoom } from './connection-state.ts';
import { extensionLetters, streamLetters } from './extension-letters.ts';
import { mayHaveToDevice } from './extensions.ts';
import type { Pos } from './pos.ts';
import type { SlidingRequest } from './request.ts';
import { mayHaveSticky } from './sticky-extension.ts';

/** A request that waits until there is something to tell: what its client has, up to where that has been looked at. */
export type Poll = {
  readonly request: SlidingRequest;
  /** What the connection remembers as of the answer that the client shows. */
  readonly state: ConnectionState;
  readonly memory: LazyMemory;
  /** The client has nothing yet: it is answered at once. */
  readonly isFirst: boolean;
  /** When it is answered whatever there is, in milliseconds of the clock. */
  readonly deadline: number;
  /** The extensions that are enabled, as a position names them. */
  readonly extensions: string;
  /** Of the streams in memory, those that the extensions show. */
  readonly letters: ReadonlySet<string>;
  /** What this request changes in what the client has. */
  readonly changes: Map<number, SentRoom>;
  user: OnlineUser;
  since: number | undefined;
  serials: SyncToken['serials'];
  /** The extensions of which the client has everything up to there. */
  known: string;
  /** Whether the client has been answered all that it wished for, with the wishes that it has now. */
  isAnswered: boolean;
  /** What the client was told of its lists, as far as that is known. */
  lists: string | undefined;
  /** There may be messages to the device that it has not got, though nothing new has come. Others come with what wakes the client. */
  mayHaveOld: boolean;
  mayHaveOldSticky: boolean;
  /** How far the client has all sticky events, where that is all that there is to tell. */
  stickyNote: string | undefined;
};

/** The beginning of it, for a client whose position, if it shows one, is `pos` and stands for `token`. */
export function startPoll(
  core: SyncCore,
  request: SlidingRequest,
  {
    pos,
    token,
    state,
    user,
    memory,
  }: Pick<Poll, 'state' | 'user' | 'memory'> & { readonly pos: Pos | undefined; readonly token: SyncToken | undefined },
): Poll {
  const { shape, timeout } = request;
  const { toDevice, sticky } = request.extensions;
  const isAnswered = state.answered?.shape === shape && state.answered.extensions === pos?.extensions;
  return {
    request,
    state,
    memory,
    isFirst: token === undefined,
    deadline: core.context.now() + (token === undefined ? 0 : Math.min(Math.max(timeout, 0), maxTimeout)),
    extensions: extensionLetters(request.extensions),
    letters: streamLetters(request.extensions),
    changes: new Map(),
    user,
    since: token?.position,
    serials: token?.serials ?? new Map(),
    known: pos?.extensions ?? '',
    isAnswered,
    lists: isAnswered ? state.answered?.lists : undefined,
    mayHaveOld: toDevice !== undefined && mayHaveToDevice(core, user, toDevice.since),
    mayHaveOldSticky: sticky !== undefined && mayHaveSticky(core, user, sticky.since),
    stickyNote: undefined,
  };
}

/** Whether the client is answered now, whatever there is. */
export function isOver({ context }: SyncCore, { deadline, request }: Poll): boolean {
  return context.now() >= deadline || request.signal.aborted;
}

/** What there may be to tell the client; at the end also what could wait. Reads nothing. */
export function newsFor(core: SyncCore, poll: Poll): News {
  const { user, since, serials, letters, isAnswered, mayHaveOldSticky } = poll;
  if (since === undefined || !isAnswered || mayHaveOldSticky) return 'lasting';
  return core.newsFor(user, since, serials, { letters, atTheEnd: isOver(core, poll) });
}

export function hasNews(core: SyncCore, poll: Poll): boolean {
  return newsFor(core, poll) !== 'none';
}

/** Goes on from an answer in which there is nothing to tell: what it covers need not be read again. */
export function passOver(poll: Poll, answer: SlidingAnswer, stickyNote: string | undefined): void {
  poll.stickyNote = stickyNote ?? poll.stickyNote;
  poll.since = answer.upTo;
  poll.serials = answer.serials;
  poll.known = poll.extensions;
  poll.isAnswered = answer.isComplete;
  poll.lists = answer.lists;
}
