import { parseJson } from '../json/parse-json.ts';
import { isJsonObject, type JsonObject } from '../json/value.ts';
import type { PushAction } from './rule.ts';

/** The device that a push gateway is to notify. */
export type PushDevice = {
  readonly appId: string;
  readonly pushkey: string;
  /** Milliseconds. */
  readonly setAt: number;
  /** As it was set. */
  readonly data: JsonObject;
};

export type PushCounts = { readonly unread: number; readonly missedCalls: number };

/** An event as devices are told of it: the same for all of them. */
export type PushedEvent = {
  readonly eventId: string;
  readonly roomId: string;
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly sender: string;
  /** As JSON text. */
  readonly content: string;
  readonly senderName: string | undefined;
  readonly roomName: string | undefined;
  readonly roomAlias: string | undefined;
};

/**
 * The body of `POST /_matrix/push/v1/notify` about an event.
 *
 * {@link https://spec.matrix.org/v1.19/push-gateway-api/#post_matrixpushv1notify}
 */
export function eventNotification(
  event: PushedEvent,
  recipient: { readonly userId: string; readonly actions: readonly PushAction[] },
  device: PushDevice,
  counts: PushCounts,
): string {
  const { eventId, roomId, type, stateKey, sender, content } = event;
  const { userId, actions } = recipient;
  const tweaks = tweaksOf(actions);
  const about = {
    event_id: eventId,
    room_id: roomId,
    prio: priorityOf(type, tweaks),
    counts: countsOf(counts),
  };
  if (device.data['format'] === 'event_id_only') return wrap({ ...about, devices: [deviceOf(device)] });
  const rest = {
    ...about,
    // Gateways written to the first drafts of the API know events by this name, which other servers send too.
    id: eventId,
    type,
    sender,
    ...(event.senderName !== undefined && { sender_display_name: event.senderName }),
    ...(event.roomName !== undefined && { room_name: event.roomName }),
    ...(event.roomAlias !== undefined && { room_alias: event.roomAlias }),
    user_is_target: type === 'm.room.member' && stateKey === userId,
    ...membershipOf(event),
    devices: [{ ...deviceOf(device), tweaks }],
  };
  // The content is the same for everyone, may be large, and is JSON already.
  return wrap(rest, `"content":${content},`);
}

/** Gateways for Apple's devices tell by this, not by the content, that somebody is invited, and else show nothing. */
function membershipOf({ type, content }: PushedEvent): JsonObject {
  if (type !== 'm.room.member') return {};
  const value = parseJson(content, 'lenient');
  const membership = isJsonObject(value) ? value['membership'] : undefined;
  return typeof membership === 'string' ? { membership } : {};
}

/** The body about nothing but how much is unread. */
export function countsNotification(device: PushDevice, counts: PushCounts): string {
  return wrap({ counts: countsOf(counts), devices: [deviceOf(device)] });
}

function wrap(notification: JsonObject, first = ''): string {
  return `{"notification":{${first}${JSON.stringify(notification).slice(1)}}`;
}

/**
 * "Counts whose value is zero should be omitted", but a device can only know by a zero that nothing is unread any more: a
 * gateway that gets no count leaves the number that the device shows as it is.
 */
function countsOf({ unread, missedCalls }: PushCounts): JsonObject {
  return { unread, ...(missedCalls > 0 && { missed_calls: missedCalls }) };
}

function deviceOf({ appId, pushkey, setAt, data }: PushDevice): JsonObject {
  const { url: _url, ...forwarded } = data;
  return { app_id: appId, pushkey, pushkey_ts: Math.floor(setAt / 1000), data: forwarded };
}

/** {@link https://spec.matrix.org/v1.19/client-server-api/#actions} */
function tweaksOf(actions: readonly PushAction[]): JsonObject {
  const tweaks: [string, JsonObject[string]][] = [];
  for (const action of actions) {
    if (typeof action === 'string' || typeof action['set_tweak'] !== 'string') continue;
    const name = action['set_tweak'];
    // "If a `highlight` tweak is given with no value, its value is defined to be `true`."
    const value = action['value'] ?? (name === 'highlight' ? true : undefined);
    if (value !== undefined) tweaks.push([name, value]);
  }
  return Object.fromEntries(tweaks);
}

/**
 * "This may be used by push gateways to deliver less time-sensitive notifications in a way that will preserve battery power
 * on mobile devices": those that make no sound and are for nobody in particular. What an encrypted event says to its reader
 * only a device can tell.
 */
function priorityOf(type: string, { sound, highlight }: JsonObject): 'high' | 'low' {
  const isUrgent = sound !== undefined || highlight === true || type === 'm.room.encrypted' || type === 'm.call.invite';
  return isUrgent ? 'high' : 'low';
}
