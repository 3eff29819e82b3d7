import type { JsonObject } from '@portico/protocol';
import { createWriteSet, type Database, StorageError, type WriteSet } from '@portico/storage';
import {
  addToDeviceTransaction,
  forgetToDeviceTransactions,
  queueToDevice,
  type NewToDevice,
} from '@portico/storage/stores/devices/to-device.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { inSteps } from '../in-steps.ts';
import { jsonWithin } from '../json-within.ts';
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
  receive(set: WriteSet, message: Omit<RemoteToDevice, 'messageId'>): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly isLocal: (userId: string) => boolean;
  readonly appendRemote?: (set: WriteSet, message: RemoteToDevice) => Promise<void>;
  readonly randomId: () => string;
};

/** People and devices that are named. */
const maxRecipients = 10_000;
/** What becomes one statement. */
const charactersPerPortion = 256 * 1024;
const messagesPerPortion = 500;
const transactionsKeptFor = 24 * 60 * 60 * 1000;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging} */
export function createToDevice({ db, now, isLocal, appendRemote, randomId }: Dependencies): ToDevice {
  let nextSweep = 0;

  function* queueSteps(
    set: WriteSet,
    sender: string,
    type: string,
    messages: ToDeviceMessages,
  ): Generator<void, void, void> {
    let queued: NewToDevice[] = [];
    let length = 0;
    const flush = (): void => {
      if (queued.length > 0) queueToDevice(set, sender, type, queued, set.takePosition());
      queued = [];
      length = 0;
    };
    for (const userId in messages) {
      yield;
      if (!isLocal(userId)) continue;
      const devices = messages[userId] ?? {};
      for (const deviceId in devices) {
        const text = jsonWithin(devices[deviceId] ?? {}, maxToDeviceContent);
        if (text === undefined) throw tooLarge();
        queued.push({ userId, deviceId, content: text });
        length += text.length;
        if (queued.length >= messagesPerPortion || length >= charactersPerPortion) flush();
        yield;
      }
    }
    flush();
  }

  function remote(messages: ToDeviceMessages): ToDeviceMessages | undefined {
    const elsewhere = Object.keys(messages).filter((userId) => !isLocal(userId));
    if (elsewhere.length === 0) return undefined;
    const found: { [userId: string]: ToDeviceMessages[string] } = Object.create(null) as object as typeof found;
    for (const userId of elsewhere) found[userId] = messages[userId] ?? {};
    return found;
  }

  return {
    async send({ userId, deviceId }, { type, txnId, messages }) {
      requireFew(messages);
      const set = createWriteSet();
      const at = now();
      addToDeviceTransaction(set, { userId, deviceId, type, txnId }, at);
      await inSteps(queueSteps(set, userId, type, messages));
      const elsewhere = appendRemote && remote(messages);
      if (elsewhere !== undefined) {
        await appendRemote?.(set, { sender: userId, type, messageId: randomId(), messages: elsewhere });
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
    async receive(set, { sender, type, messages }) {
      requireFew(messages);
      await inSteps(queueSteps(set, sender, type, messages));
    },
  };
}

/** Throws `request.too-large`, looking no further than it has to. */
function requireFew(messages: ToDeviceMessages): void {
  let people = 0;
  let devices = 0;
  for (const userId in messages) {
    people++;
    for (const _ in messages[userId]) if (++devices > maxRecipients) break;
    if (devices <= maxRecipients && people <= maxRecipients) continue;
    throw new MatrixError('request.too-large', { message: `At most ${maxRecipients} devices at a time.` });
  }
}
