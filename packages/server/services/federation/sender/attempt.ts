import { isJsonObject, parseJson } from '@portico/protocol';
import type { EduPlace } from '@portico/storage/stores/federation/stored-edus.ts';

/** What a transaction is made of, so that it can be made again as it was. */
export type Attempt = {
  readonly txnId: string;
  /** Events and receipts up to these positions; stored EDUs up to that place, if there are any. */
  readonly events: number;
  readonly receipts: number;
  readonly stored: EduPlace | undefined;
};

export function formatAttempt({ txnId, events, receipts, stored }: Attempt): string {
  return JSON.stringify({ txnId, events, receipts, ...(stored && { stored: [stored.position, stored.seq] }) });
}

export function parseAttempt(text: string): Attempt {
  const value = parseJson(text);
  if (isJsonObject(value)) {
    const { txnId, events, receipts, stored } = value;
    const [position, seq] = Array.isArray(stored) ? (stored as readonly unknown[]) : [];
    if (typeof txnId === 'string' && typeof events === 'number' && typeof receipts === 'number') {
      const place = typeof position === 'number' && typeof seq === 'number' ? { position, seq } : undefined;
      return { txnId, events, receipts, stored: place };
    }
  }
  throw new Error(`${text} passed for the bounds of a transaction`);
}
