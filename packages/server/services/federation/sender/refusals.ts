import type { FederationError } from '../client/federation-error.ts';
import type { Transaction } from './backlog.ts';

/**
 * What to do with transactions that a server can be reached with and does not take: something in them may be poison to it,
 * and must not keep everything else from it.
 */
export interface Refusals {
  /** `retry`: the same again; `divide`: what is in it one by one; `give-up`: leave it out. */
  refused(error: FederationError, transaction: Transaction): 'retry' | 'divide' | 'give-up';
  delivered(): void;
  /** Whether to send one thing at a time. */
  isCautious(): boolean;
  /** Whether something was refused, and nothing taken since. */
  readonly isOpen: boolean;
}

/** After so many refusals in a row something is done about it. */
const patience = 3;
/** A server that says that the request is wrong, not that it cannot or will not answer it. */
const blaming = new Set([400, 413, 422]);

export function createRefusals(): Refusals {
  let inARow = 0;
  let leftOneByOne = 0;
  return {
    refused({ refusal }, { parts }) {
      if (refusal === undefined || !blaming.has(refusal.status)) return 'retry';
      if (++inARow < patience) return 'retry';
      inARow = 0;
      const size = parts.pdus.length + parts.edus.length;
      if (size <= 1) return 'give-up';
      leftOneByOne = size;
      return 'divide';
    },
    delivered() {
      inARow = 0;
      if (leftOneByOne > 0) leftOneByOne--;
    },
    isCautious: () => leftOneByOne > 0,
    get isOpen() {
      return inARow > 0 || leftOneByOne > 0;
    },
  };
}
