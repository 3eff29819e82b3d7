import { parseRequiredState } from '@portico/protocol/sliding-sync/required-state.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import type { RoomConfig, Scope, SlidingList, SlidingRequest } from '../../../services/sliding-sync/request.ts';
import type { Waiter } from '../../../services/sync/sync-core.ts';
import type { Sender } from '../../endpoint.ts';
import type { SlidingSyncBody } from './sliding-sync-schema.ts';

/** "Max lists: 100. If a request contains more than this the server will respond with a 400 error response". */
const maxLists = 100;
/** "Max subscriptions: 100." */
const maxSubscriptions = 100;
/** "The server may cap this number." */
const maxTimelineLimit = 200;

type Parts = Pick<SlidingRequest, 'pos' | 'timeout'> & { readonly sender: Sender; readonly waiter: Waiter };
/** What a body says, whoever sends it. */
type Wanted = Pick<SlidingRequest, 'connId' | 'extensions' | 'shape'>;

/** Makes requests of bodies; of one that comes again what was made of it before. */
export function createSlidingRequests(): (body: SlidingSyncBody, parts: Parts) => SlidingRequest {
  const known = new WeakMap<SlidingSyncBody, Wanted>();
  return (body, { sender: { userId, deviceId }, pos, timeout, waiter }) => {
    let wanted = known.get(body);
    if (wanted === undefined) {
      wanted = readBody(body);
      known.set(body, wanted);
    }
    const { lists = {}, room_subscriptions: subscriptions = {} } = body;
    return {
      ...wanted,
      userId,
      deviceId,
      pos,
      timeout,
      get signal() {
        return waiter.signal;
      },
      wishes: () => ({
        lists: new Map(Object.entries(lists).map(([name, list]) => [name, toList(list, userId)])),
        subscriptions: new Map(Object.entries(subscriptions).map(([id, config]) => [id, toConfig(config, userId)])),
      }),
    };
  };
}

/** Throws `request.invalid-param` for more than is allowed. */
function readBody(body: SlidingSyncBody): Wanted {
  const { conn_id: connId = '', ...others } = body;
  const { lists = {}, room_subscriptions: subscriptions = {}, extensions = {} } = body;
  limit('lists', Object.keys(lists).length, maxLists);
  limit('room_subscriptions', Object.keys(subscriptions).length, maxSubscriptions);
  const { to_device: toDevice, e2ee, account_data: accountData, receipts, typing } = extensions;
  const sticky = extensions['org.matrix.msc4354.sticky_events'];
  const threads = extensions['io.element.msc4308.thread_subscriptions'];
  return {
    connId,
    extensions: {
      toDevice: toDevice?.enabled === true ? { since: toDevice.since, limit: toDevice.limit } : undefined,
      e2ee: e2ee?.enabled === true,
      accountData: toScope(accountData),
      receipts: toScope(receipts),
      threadSubscriptions: threads?.enabled === true ? { limit: threads.limit } : undefined,
      typing: toScope(typing),
      sticky: sticky?.enabled === true ? { since: sticky.since, limit: sticky.limit } : undefined,
    },
    // How far to-device messages and sticky events have come does not make it another request.
    shape: JSON.stringify({
      ...others,
      extensions: { ...extensions, to_device: toDevice?.enabled, 'org.matrix.msc4354.sticky_events': sticky?.enabled },
    }),
  };
}

function limit(field: string, count: number, most: number): void {
  if (count <= most) return;
  throw new MatrixError('request.invalid-param', { message: `'${field}' has ${count} entries; there may be ${most}.` });
}

type Config = Pick<NonNullable<SlidingSyncBody['lists']>[string], 'timeline_limit' | 'required_state'>;

function toConfig({ timeline_limit: limit, required_state: state = [] }: Config, userId: string): RoomConfig {
  return { limit: Math.min(limit, maxTimelineLimit), state: parseRequiredState(state, userId) };
}

function toList(list: NonNullable<SlidingSyncBody['lists']>[string], userId: string): SlidingList {
  const { filters = {}, ranges, slow_get_all_rooms: everything } = list;
  return {
    ...toConfig(list, userId),
    ranges: everything === true ? undefined : ranges,
    filters: {
      isDm: filters.is_dm,
      spaces: filters.spaces,
      isEncrypted: filters.is_encrypted,
      isInvite: filters.is_invite,
      roomTypes: filters.room_types,
      notRoomTypes: filters.not_room_types,
      nameLike: filters.room_name_like,
      tags: filters.tags,
      notTags: filters.not_tags,
    },
  };
}

type ScopedExtension = NonNullable<SlidingSyncBody['extensions']>['receipts'];

function toScope(extension: ScopedExtension): Scope | undefined {
  return extension?.enabled === true ? { lists: toSet(extension.lists), rooms: toSet(extension.rooms) } : undefined;
}

/** `*` is for all. */
function toSet(names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return names === undefined || names.includes('*') ? undefined : new Set(names);
}
