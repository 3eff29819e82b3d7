import { defaultRoomEventFilter } from '@portico/protocol/sync-filter/filter.ts';
import type { Database } from '@portico/storage';
import type { HistoryContext, Requester } from '../reading/context.ts';
import { readMessages } from '../reading/messages.ts';
import { endOfPosition, formatPlace } from '../reading/tokens.ts';
import type { PaginationChunk } from './answers.ts';

export type PeekRequest = {
  readonly roomId: string;
  readonly from: string | undefined;
  /** How long to wait for an event, in milliseconds. */
  readonly timeout: number;
  readonly signal: AbortSignal;
};

const pageSize = 100;
const maxTimeout = 120_000;

/**
 * What happens in one room after a place, for those who may look into it: the answer waits until there is something.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events}
 */
export async function peekEvents(
  context: HistoryContext,
  requester: Requester,
  { roomId, from, timeout, signal }: PeekRequest,
): Promise<PaginationChunk> {
  const { db, access } = context;
  const { roomNid } = await access.enter(requester.userId, roomId);
  const start = from ?? formatPlace(endOfPosition(db.currentPosition()));
  const over = AbortSignal.any([signal, AbortSignal.timeout(Math.min(Math.max(timeout, 0), maxTimeout))]);
  for (;;) {
    const change = watchRoom(db, roomNid, over);
    const chunk = await readOn(context, requester, roomId, start);
    if (chunk.chunk.length > 0 || over.aborted) {
      change.stop();
      return chunk;
    }
    await change.happened;
  }
}

async function readOn(context: HistoryContext, requester: Requester, roomId: string, from: string) {
  const filter = defaultRoomEventFilter;
  // What comes later than this belongs to the next answer.
  const place = formatPlace(endOfPosition(context.db.currentPosition()));
  const request = { roomId, direction: 'forwards', from, to: place, limit: pageSize, filter } as const;
  const page = JSON.parse(await readMessages(context, requester, request)) as { end?: string } & PaginationChunk;
  return { start: from, end: page.end ?? place, chunk: page.chunk };
}

/** Watches from now on, so that nothing passes between a look at the room and the wait for more. */
function watchRoom(db: Database, roomNid: number, over: AbortSignal): { happened: Promise<void>; stop: () => void } {
  const { promise: happened, resolve } = Promise.withResolvers<void>();
  const stopListening = db.onChanges((batches) => {
    const concerns = batches.some(({ changes }) =>
      changes.some(({ kind, key }) => kind === 'room' && Number(key) === roomNid),
    );
    if (concerns) stop();
  });
  const stop = (): void => {
    stopListening();
    over.removeEventListener('abort', stop);
    resolve();
  };
  if (over.aborted) stop();
  else over.addEventListener('abort', stop);
  return { happened, stop };
}
