import { isJsonObject, type JsonObject } from '@portico/protocol';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import { addReceivedToDevice, forgetReceivedToDevice } from '@portico/storage/stores/devices/received-to-device.ts';
import { type EduHandler, textOf, userOf } from '../federation/receiving/edus.ts';
import type { ToDevice, ToDeviceMessages } from './to-device.ts';

type Dependencies = {
  readonly db: Database;
  readonly toDevice: Pick<ToDevice, 'receive'>;
  readonly now: () => number;
};

/** For how long a server may repeat a transaction that this one has taken. */
const rememberedFor = 30 * 24 * 60 * 60_000;
const sweepEvery = 60 * 60_000;

/** {@link https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging} */
export function toDeviceEdu({ db, toDevice, now }: Dependencies): EduHandler {
  let nextSweep = 0;

  return {
    afterEvents: false,
    async receive({ origin, content }) {
      const { messages } = content;
      const sender = userOf(origin, content['sender']);
      const type = textOf(content['type']);
      // "of maximum length 32 codepoints", which not everybody keeps to.
      const messageId = textOf(content['message_id']);
      if (sender === undefined || type === undefined || messageId === undefined || !isJsonObject(messages)) return;
      const set = createWriteSet();
      const at = now();
      addReceivedToDevice(set, origin, messageId, at);
      await toDevice.receive(set, { sender, type, messages: wellFormed(messages) });
      if (at >= nextSweep) {
        nextSweep = at + sweepEvery;
        forgetReceivedToDevice(set, at - rememberedFor);
      }
      try {
        await db.commit(set);
      } catch (error) {
        if (!(error instanceof StorageError) || error.guard !== 'to-device.received') throw error;
      }
    },
  };
}

/** What is not as it should be is left out. */
function wellFormed(messages: JsonObject): ToDeviceMessages {
  const kept = Object.entries(messages).flatMap(([userId, devices]) => {
    if (textOf(userId) === undefined || !isJsonObject(devices)) return [];
    const contents = Object.entries(devices).filter(
      (entry): entry is [string, JsonObject] => textOf(entry[0]) !== undefined && isJsonObject(entry[1]),
    );
    return [[userId, Object.fromEntries(contents)] as const];
  });
  return Object.fromEntries(kept);
}
