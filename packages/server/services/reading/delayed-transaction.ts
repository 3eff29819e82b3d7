const prefix = 'delayed ';

/** The transaction by which a delayed event is sent: sent again after a crash it is the same event. */
export function delayedTransaction(delayId: string): string {
  return `${prefix}${delayId}`;
}

/** The delayed event that such a transaction has sent. */
export function delayIdOf(txnId: string): string | undefined {
  return txnId.startsWith(prefix) ? txnId.slice(prefix.length) : undefined;
}
