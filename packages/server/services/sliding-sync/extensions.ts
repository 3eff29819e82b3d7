import { defaultFilter } from '@portico/protocol/sync-filter/filter.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { OnlineUser } from '../sync/online-index.ts';
import { someRoomMayHave, userMayHave } from '../sync/stream-reads.ts';
import type { RoomParts, StreamParts, SyncStream } from '../sync/streams.ts';
import type { SyncCore } from '../sync/sync-core.ts';
import { formatSyncToken, parseSyncToken } from '../sync/token.ts';
import { letters } from './extension-letters.ts';
import { type ExtensionRequest, streamNamed } from './extension-request.ts';
import type { SlidingExtensions, SlidingRequest } from './request.ts';
import { readScoped, scopeChanges, type ScopeChanges } from './scoped-extension.ts';
import { readSticky, type StickyNews } from './sticky-extension.ts';

/** What there is beside the rooms themselves. */
export type ExtensionAnswer = {
  /** Members of the `extensions` object, by name. */
  readonly texts: ReadonlyMap<string, string>;
  readonly isEmpty: boolean;
  readonly scopes: ScopeChanges;
  readonly sticky: StickyNews | undefined;
};

/** Of all that is between two positions, by the streams that `/sync` has. */
export async function readExtensions(core: SyncCore, request: ExtensionRequest): Promise<ExtensionAnswer> {
  const { extensions } = request.request;
  const texts = new Map<string, string>();
  let isEmpty = true;
  const [toDevice, e2ee, accountData, receipts, threads, typing, sticky] = await Promise.all([
    extensions.toDevice && readToDevice(core, request, extensions.toDevice),
    extensions.e2ee ? readE2ee(core, request) : undefined,
    extensions.accountData && readScoped(core, 'account-data', letters.accountData, extensions.accountData, request),
    extensions.receipts && readScoped(core, 'receipts', letters.receipts, extensions.receipts, request),
    extensions.threadSubscriptions && readThreads(core, request, extensions.threadSubscriptions),
    extensions.typing && readScoped(core, 'typing', letters.typing, extensions.typing, request),
    extensions.sticky && readSticky(core, request, extensions.sticky),
  ]);
  if (toDevice !== undefined) {
    texts.set('to_device', toDevice.text);
    isEmpty &&= toDevice.isEmpty;
  }
  if (e2ee !== undefined) {
    texts.set('e2ee', e2ee.text);
    isEmpty &&= e2ee.isEmpty;
  }
  if (accountData !== undefined) {
    const rooms = roomTexts(accountData.rooms, ({ accountData: events }) => events && `[${events.join(',')}]`);
    if (accountData.global.length > 0 || rooms !== '{}') {
      texts.set('account_data', `{"global":[${accountData.global.join(',')}],"rooms":${rooms}}`);
      isEmpty = false;
    }
  }
  for (const [name, read] of [
    ['receipts', receipts],
    ['typing', typing],
  ] as const) {
    const rooms = read === undefined ? '{}' : roomTexts(read.rooms, ({ ephemeral }) => ephemeral?.[0]);
    if (rooms === '{}') continue;
    texts.set(name, `{"rooms":${rooms}}`);
    isEmpty = false;
  }
  if (threads !== undefined) {
    texts.set('io.element.msc4308.thread_subscriptions', threads);
    isEmpty = false;
  }
  const scopes = scopeChanges([
    [letters.accountData, accountData],
    [letters.receipts, receipts],
    [letters.typing, typing],
  ]);
  return { texts, isEmpty, scopes, sticky };
}

/** What there is beside the rooms when nothing has happened that wakes anybody: perhaps messages that the client misses. */
export async function quietExtensions(
  core: SyncCore,
  request: SlidingRequest,
  user: OnlineUser,
  upTo: number,
): Promise<Pick<ExtensionAnswer, 'texts' | 'isEmpty'>> {
  const { userId, deviceId, extensions } = request;
  const texts = new Map<string, string>();
  let isEmpty = true;
  if (extensions.toDevice !== undefined) {
    const toDevice = await readToDevice(core, { request, user, upTo }, extensions.toDevice);
    texts.set('to_device', toDevice.text);
    isEmpty = toDevice.isEmpty;
  }
  if (extensions.e2ee) texts.set('e2ee', `{${await alwaysText(streamNamed(core, 'device-keys'), userId, deviceId)}}`);
  return { texts, isEmpty };
}

async function alwaysText(stream: SyncStream, userId: string, deviceId: string): Promise<string> {
  return Array.from((await stream.always?.({ userId, deviceId })) ?? [], ([name, text]) => `"${name}":${text}`).join(
    ',',
  );
}

/** The token of a client's last to-device messages, or nothing for the first of them. */
export function parseToDeviceSince(since: string | undefined) {
  if (since === undefined) return undefined;
  const token = parseSyncToken(since);
  if (token !== undefined) return token;
  throw new MatrixError('request.invalid-param', { message: `'to_device.since' is not a token of this server.` });
}

/** Whether there may be messages behind a client's token for them. */
export function mayHaveToDevice(core: SyncCore, user: OnlineUser, since: string | undefined): boolean {
  const token = parseToDeviceSince(since);
  if (token === undefined || token.serials.has('d')) return true;
  return userMayHave(streamNamed(core, 'to-device'), user, token.position);
}

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3885} */
async function readToDevice(
  core: SyncCore,
  { request: { userId, deviceId }, user, upTo }: Pick<ExtensionRequest, 'request' | 'user' | 'upTo'>,
  { since: text, limit }: NonNullable<SlidingExtensions['toDevice']>,
): Promise<{ readonly text: string; readonly isEmpty: boolean }> {
  const stream = streamNamed(core, 'to-device');
  const token = parseToDeviceSince(text);
  const serial = token?.serials.get('d');
  const mayHave = mayHaveToDevice(core, user, text);
  const parts: StreamParts = mayHave
    ? await stream.read({ ...quiet(core, userId, deviceId), since: token?.position, upTo, serial, limit })
    : {};
  const events = parts.fields?.get('to_device');
  if (events === undefined) {
    const next = mayHave || text === undefined ? formatSyncToken(upTo) : text;
    return { text: `{"next_batch":"${next}","events":[]}`, isEmpty: true };
  }
  const next = formatSyncToken(upTo, parts.serial === undefined ? [] : [['d', parts.serial]]);
  return { text: `{"next_batch":"${next}",${events.slice(1)}`, isEmpty: false };
}

function quiet(core: SyncCore, userId: string, deviceId: string) {
  return {
    reader: core.context.db,
    userId,
    deviceId,
    filter: defaultFilter,
    rooms: noRooms,
    newRooms: noNids,
    allRooms: () => noRooms,
    mayConcernUser: true,
  };
}

const noRooms: ReadonlyMap<number, string> = new Map();
const noNids: ReadonlySet<number> = new Set();

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3884} */
async function readE2ee(
  core: SyncCore,
  { request: { userId, deviceId }, user, since: position, upTo, known }: ExtensionRequest,
): Promise<{ readonly text: string; readonly isEmpty: boolean }> {
  const stream = streamNamed(core, 'device-keys');
  const since = known.includes(letters.e2ee) ? position : undefined;
  const mayHave = since !== undefined && (userMayHave(stream, user, since) || someRoomMayHave(stream, user, since));
  const parts = mayHave
    ? await stream.read({ ...quiet(core, userId, deviceId), since, upTo, serial: undefined })
    : undefined;
  const lists = parts?.fields?.get('device_lists');
  const always = await alwaysText(stream, userId, deviceId);
  return { text: `{${always}${lists === undefined ? '' : `,"device_lists":${lists}`}}`, isEmpty: lists === undefined };
}

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4308} */
async function readThreads(
  core: SyncCore,
  { request: { userId, deviceId }, user, since: position, upTo, known }: ExtensionRequest,
  { limit }: NonNullable<SlidingExtensions['threadSubscriptions']>,
): Promise<string | undefined> {
  const stream = streamNamed(core, 'thread-subscriptions');
  const since = known.includes(letters.threadSubscriptions) ? position : undefined;
  if (since !== undefined && !userMayHave(stream, user, since)) return undefined;
  const parts = await stream.read({ ...quiet(core, userId, deviceId), since, upTo, serial: undefined, limit });
  return parts.fields?.get('thread_subscriptions');
}

function roomTexts(rooms: ReadonlyMap<string, RoomParts>, textOf: (parts: RoomParts) => string | undefined): string {
  const texts: string[] = [];
  for (const [id, parts] of rooms) {
    const text = textOf(parts);
    if (text !== undefined) texts.push(`${JSON.stringify(id)}:${text}`);
  }
  return `{${texts.join(',')}}`;
}
