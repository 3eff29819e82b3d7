import {
  emptyJsonObject,
  encodeCanonical,
  JsonError,
  type JsonObject,
  parseServerName,
  serverNameOf,
} from '@portico/protocol';
import type { WriteSet } from '@portico/storage';
import { type QueuedEdu, queueEdusEach } from '@portico/storage/stores/federation/stored-edus.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { inSteps } from '../in-steps.ts';
import { jsonWithin } from '../json-within.ts';
import type { FirstContacts } from '../rate-limit/first-contacts.ts';
import { maxToDeviceContent, tooLarge } from './limits.ts';
import type { RemoteToDevice, ToDeviceMessages } from './to-device.ts';

type Message = { readonly userId: string; readonly deviceId: string; readonly content: JsonObject };

/** Characters of messages that go into one EDU, unless one alone has more. */
const perEdu = 65_536;
/** Clients in use address a few hundred devices at a time. Each server is work, whether there is one or not. */
const maxHosts = 1000;
/** What becomes one statement. */
const edusPerPortion = 200;
const charactersPerPortion = 256 * 1024;

/**
 * Queues messages for devices of other servers: for each server EDUs of a bounded size, each with an ID of its own, by which
 * the other server knows it if it comes twice.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#send-to-device-messaging}
 */
export function createQueueRemote(
  firstContacts: Pick<FirstContacts, 'check'>,
): (set: WriteSet, message: RemoteToDevice) => Promise<void> {
  return async (set, message) => {
    const ofHosts = await inSteps(byHost(message.messages));
    if (ofHosts.size > maxHosts) {
      throw new MatrixError('request.too-large', { message: `At most ${maxHosts} other servers at a time.` });
    }
    await firstContacts.check(message.sender, [...ofHosts.keys()]);
    await inSteps(queueSteps(set, message, ofHosts));
  };
}

function* queueSteps(
  set: WriteSet,
  { sender, type, messageId }: RemoteToDevice,
  ofHosts: ReadonlyMap<string, Message[]>,
): Generator<void, void, void> {
  let count = 0;
  let edus: QueuedEdu[] = [];
  let length = 0;
  for (const [host, ofHost] of ofHosts) {
    for (const chunk of yield* chunks(ofHost)) {
      const id = count++ === 0 ? messageId : `${messageId}-${count}`;
      const content = canonical({ message_id: id, messages: byDevice(chunk), sender, type });
      edus.push({ type: 'm.direct_to_device', content, sender, hosts: [host] });
      length += content.length;
      if (edus.length >= edusPerPortion || length >= charactersPerPortion) {
        queueEdusEach(set, edus);
        edus = [];
        length = 0;
      }
      yield;
    }
  }
  queueEdusEach(set, edus);
}

function* byHost(messages: ToDeviceMessages): Generator<void, Map<string, Message[]>, void> {
  const hosts = new Map<string, Message[]>();
  for (const userId in messages) {
    yield;
    const host = parseServerName(serverNameOf(userId) ?? '');
    if (host === undefined) continue;
    const ofHost = hosts.get(host) ?? [];
    const devices = messages[userId] ?? {};
    for (const deviceId in devices) ofHost.push({ userId, deviceId, content: devices[deviceId] ?? {} });
    if (ofHost.length > 0) hosts.set(host, ofHost);
  }
  return hosts;
}

function* chunks(messages: readonly Message[]): Generator<void, Message[][], void> {
  const result: Message[][] = [];
  let length = Infinity;
  for (const message of messages) {
    yield;
    const size = jsonWithin(message.content, maxToDeviceContent)?.length;
    if (size === undefined) throw tooLarge();
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
