import type { ThreadShareRow } from '@portico/storage/stores/events/relations-read.ts';

export type ThreadSummary = { readonly count: number; readonly latestNid: number; readonly participated: boolean };

/**
 * What one reader is told of a thread, or nothing if all of it was written by people they ignore.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#server-side-aggregation-of-mthread-relationships}
 */
export function summariseThread(
  shares: readonly Pick<ThreadShareRow, 'sender' | 'replies' | 'last_order' | 'last_nid'>[],
  rootSender: string,
  { userId, ignored }: { readonly userId: string; readonly ignored: ReadonlySet<string> },
): ThreadSummary | undefined {
  let count = 0;
  let participated = rootSender === userId;
  let latest: { readonly last_order: number; readonly last_nid: number } | undefined;
  for (const share of shares) {
    if (share.sender === userId) participated = true;
    if (ignored.has(share.sender)) continue;
    count += share.replies;
    if (latest === undefined || share.last_order > latest.last_order) latest = share;
  }
  return latest && { count, latestNid: latest.last_nid, participated };
}
