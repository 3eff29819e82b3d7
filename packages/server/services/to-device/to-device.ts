import type { JsonObject } from '@portico/protocol';
import { createWriteSet, type Database, StorageError, type WriteSet } from '@portico/storage';
import {
  addToDeviceTransaction,
  forgetToDeviceTransactions,
  queueToDevice,
  type NewToDevice,
} from '@portico/storage/stores/to-device.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { maxToDeviceContent, tooLarge } from './limits.ts';

/** By user, then by device or `*`. */
export type ToDeviceMessages = { readonly [userId: string]: { readonly [deviceId: string]: JsonObject } };

export type ToDeviceRequest = {
  readonly type: string;
  readonly txnId: string;
  readonly messages: ToDeviceMessages;
};

/** Messages for people of other servers, to be written with the same commit. */
export type RemoteToDevice = {
  readonly sender: string;
  readonly type: string;
  /** Of the first EDU that a request leads to; those of the others are made from it. */
  readonly messageId: string;
  readonly messages: ToDeviceMessages;
};

export interface ToDevice {
  /** Queues messages, once for each transaction ID of a device. What is meant for devices that do not exist is dropped. */
  send(sender: { readonly userId: string; readonly deviceId: string }, request: ToDeviceRequest): Promise<void>;
  /** Queues what another server sends to people of this one. */
  receive(set: WriteSet, message: Omit<RemoteToDevice, 'messageId'>): void;
}

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly isLocal: (userId: string) => boolean;
  readonly appendRemote?: (set: WriteSet, message: RemoteToDevice) => void;
  readonly randomId: () => string;
};

const maxRecipients = 10_000;
const transactionsKeptFor = 24 * 60 * 60 * 1000;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging} */
export function createToDevice({ db, now, isLocal, appendRemote, randomId }: Dependencies): ToDevice {
  let nextSweep = 0;

  function queue(set: WriteSet, sender: string, type: string, messages: ToDeviceMessages): void {
    const queued: NewToDevice[] = [];
    for (const [userId, devices] of Object.entries(messages)) {
      if (!isLocal(userId)) continue;
      for (const [deviceId, content] of Object.entries(devices)) {
        const text = JSON.stringify(content);
        if (text.length > maxToDeviceContent) throw tooLarge();
        queued.push({ userId, deviceId, content: text });
      }
    }
    if (queued.length > maxRecipients) throw new MatrixError('request.too-large');
    if (queued.length > 0) queueToDevice(set, sender, type, queued, set.takePosition());
  }

  function remote(messages: ToDeviceMessages): ToDeviceMessages | undefined {
    const entries = Object.entries(messages).filter(([userId]) => !isLocal(userId));
    const count = entries.reduce((sum, [, devices]) => sum + Object.keys(devices).length, 0);
    if (count > maxRecipients) throw new MatrixError('request.too-large');
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }

  return {
    async send({ userId, deviceId }, { type, txnId, messages }) {
      const set = createWriteSet();
      const at = now();
      addToDeviceTransaction(set, { userId, deviceId, type, txnId }, at);
      queue(set, userId, type, messages);
      const elsewhere = appendRemote && remote(messages);
      if (elsewhere !== undefined) {
        appendRemote?.(set, { sender: userId, type, messageId: randomId(), messages: elsewhere });
      }
      if (at >= nextSweep) {
        nextSweep = at + transactionsKeptFor / 24;
        forgetToDeviceTransactions(set, at - transactionsKeptFor);
      }
      try {
        await db.commit(set);
      } catch (error) {
        if (!(error instanceof StorageError) || error.guard !== 'to-device.repeated') throw error;
      }
    },
    receive: (set, { sender, type, messages }) => queue(set, sender, type, messages),
  };
}
