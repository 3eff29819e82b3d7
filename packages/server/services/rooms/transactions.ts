import { type Reader, StorageError } from '@portico/storage';
import { findTransactionEvent, type TransactionKey } from '@portico/storage/stores/events/event-transactions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

export interface Transactions {
  /** The event that a transaction made, making it with `send` if this is the first time. */
  once(key: TransactionKey, send: () => Promise<string>): Promise<string>;
}

/**
 * Remembers the latest transactions of this process, those under way included; behind that stands the unique index on
 * stored events, which holds for every process and all time.
 */
export function createTransactions(reader: Reader, maxRemembered = 20_000): Transactions {
  const remembered = new Map<string, Promise<string>>();

  async function sendOrFind(key: TransactionKey, send: () => Promise<string>): Promise<string> {
    try {
      return await send();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const eventId = await findTransactionEvent(reader, key);
      if (eventId === undefined) throw error;
      return eventId;
    }
  }

  return {
    once(key, send) {
      const name = JSON.stringify([key.userId, key.deviceId, key.roomNid, key.type, key.txnId]);
      const known = remembered.get(name);
      if (known !== undefined) return known;
      const sent = sendOrFind(key, send);
      remembered.set(name, sent);
      if (remembered.size > maxRemembered) remembered.delete(remembered.keys().next().value ?? name);
      sent.catch(() => remembered.delete(name));
      return sent;
    },
  };
}

/**
 * Whether an event was refused: for being there already, or since its sender has left the room after this very transaction
 * made it, before whoever repeats it had the answer.
 */
function isRefusal(error: unknown): boolean {
  return error instanceof MatrixError || (error instanceof StorageError && error.guard === 'event.duplicate');
}
