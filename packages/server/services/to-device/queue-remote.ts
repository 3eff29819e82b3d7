import {
  emptyJsonObject,
  encodeCanonical,
  JsonError,
  type JsonObject,
  parseServerName,
  serverNameOf,
} from '@portico/protocol';
import type { WriteSet } from '@portico/storage';
import { queueEdusEach } from '@portico/storage/stores/stored-edus.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { maxToDeviceContent, tooLarge } from './limits.ts';
import type { RemoteToDevice, ToDeviceMessages } from './to-device.ts';

type Message = { readonly userId: string; readonly deviceId: string; readonly content: JsonObject };

/** Characters of messages that go into one EDU, unless one alone has more. */
const perEdu = 65_536;

/**
 * Queues messages for devices of other servers: for each server EDUs of a bounded size, each with an ID of its own, by which
 * the other server knows it if it comes twice.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging}
 */
export function queueRemoteToDevice(set: WriteSet, { sender, type, messageId, messages }: RemoteToDevice): void {
  const ofHosts = Map.groupBy(flatten(messages), ({ userId }) => parseServerName(serverNameOf(userId) ?? ''));
  let count = 0;
  const edus = [...ofHosts].flatMap(([host, ofHost]) => {
    if (host === undefined) return [];
    return chunks(ofHost).map((chunk) => {
      const id = count++ === 0 ? messageId : `${messageId}-${count}`;
      const content = canonical({ message_id: id, messages: byDevice(chunk), sender, type });
      return { type: 'm.direct_to_device', content, sender, hosts: [host] };
    });
  });
  queueEdusEach(set, edus);
}

function flatten(messages: ToDeviceMessages): Message[] {
  return Object.entries(messages).flatMap(([userId, devices]) =>
    Object.entries(devices).map(([deviceId, content]) => ({ userId, deviceId, content })),
  );
}

function chunks(messages: readonly Message[]): Message[][] {
  const result: Message[][] = [];
  let length = Infinity;
  for (const message of messages) {
    const size = JSON.stringify(message.content).length;
    if (size > maxToDeviceContent) throw tooLarge();
    length += size;
    if (length > perEdu) {
      result.push([]);
      length = size;
    }
    result.at(-1)?.push(message);
  }
  return result;
}

function byDevice(messages: readonly Message[]): JsonObject {
  const users = emptyJsonObject();
  for (const [userId, ofUser] of Map.groupBy(messages, (message) => message.userId)) {
    const devices = emptyJsonObject();
    for (const { deviceId, content } of ofUser) devices[deviceId] = content;
    users[userId] = devices;
  }
  return users;
}

/** What canonical JSON cannot say would break the signature of whatever transaction it came in. */
function canonical(content: JsonObject): string {
  try {
    return encodeCanonical(content);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const message = `What goes to devices of other servers must be canonical JSON: ${error.message}`;
    throw new MatrixError('request.bad-json', { message });
  }
}
