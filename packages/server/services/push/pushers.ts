import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import { parsePusherRequest, type Pusher } from '@portico/protocol/push/pusher.ts';
import { createWriteSet, type Database } from '@portico/storage';
import {
  listPushers,
  type PusherKey,
  type PusherRow,
  readOthersWithPusher,
  removePusher,
  setPusher,
} from '@portico/storage/stores/push/pushers.ts';
import { addPushedMember } from '@portico/storage/stores/unread/custom-rules.ts';
import { readJoinedRooms } from '@portico/storage/stores/push/push-rules.ts';
import { refuseDeactivated } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { findThirdPartyOwner } from '@portico/storage/stores/accounts/third-party-ids.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

/** A pusher as its owner is shown it. */
export type ShownPusher = {
  readonly app_id: string;
  readonly pushkey: string;
  readonly kind: string;
  readonly app_display_name: string;
  readonly device_display_name: string;
  readonly profile_tag?: string;
  readonly lang: string;
  readonly data: JsonObject;
  readonly 'org.matrix.msc3881.enabled': boolean;
  readonly 'org.matrix.msc3881.device_id'?: string;
};

/**
 * On what people want to be told of what happens.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#push-notifications}
 */
export interface Pushers {
  list(userId: string): Promise<ShownPusher[]>;
  /** Sets or deletes one, as the body of `POST /pushers/set` says. */
  set(owner: { readonly userId: string; readonly deviceId: string }, body: JsonObject): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  /** Whether this server sends email. */
  readonly sendsMail: boolean;
  readonly now: () => number;
};

export function createPushers({ db, sendsMail, now }: Dependencies): Pushers {
  async function remove(key: PusherKey): Promise<void> {
    const set = createWriteSet();
    removePusher(set, key);
    await db.commit(set);
  }

  async function requireOwnAddress(userId: string, address: string): Promise<void> {
    const message = !sendsMail
      ? 'This server sends no email.'
      : (await findThirdPartyOwner(db, 'email', address)) !== userId
        ? 'This is none of the email addresses of the account.'
        : undefined;
    if (message !== undefined) throw new MatrixError('request.invalid-param', { message });
  }

  async function put(userId: string, deviceId: string, pusher: Pusher, how: { append: boolean; enabled: boolean }) {
    const { appId, pushkey, kind } = pusher;
    if (kind === 'email') await requireOwnAddress(userId, pushkey);
    const set = createWriteSet();
    refuseDeactivated(set, userId);
    setPusher(set, {
      ...toRow(pusher),
      user_id: userId,
      device_id: deviceId,
      enabled: how.enabled ? 1 : 0,
      set_at: now(),
    });
    // "Otherwise, the homeserver must remove any other pushers with the same App ID and pushkey for different users."
    if (how.enabled && !(await listPushers(db, userId)).some(({ enabled }) => enabled === 1)) {
      const rooms = await readJoinedRooms(db, userId);
      addPushedMember(
        set,
        userId,
        rooms.map((room) => room.room_nid),
      );
    }
    const others = how.append ? [] : await readOthersWithPusher(db, { userId, appId, pushkey });
    for (const other of others) removePusher(set, { userId: other, appId, pushkey });
    await db.commit(set);
  }

  return {
    list: async (userId) => (await listPushers(db, userId)).map(show),
    async set({ userId, deviceId }, body) {
      const request = parsePusherRequest(body);
      switch (request.kind) {
        case 'missing':
          throw new MatrixError('request.missing-param', { message: request.reason });
        case 'invalid':
          throw new MatrixError('request.invalid-param', { message: request.reason });
        case 'delete':
          return remove({ userId, appId: request.appId, pushkey: request.pushkey });
        case 'set':
          // Email is for who uses no device: it goes with the address.
          return put(userId, request.pusher.kind === 'email' ? '' : deviceId, request.pusher, request);
        default:
          return request satisfies never;
      }
    },
  };
}

function toRow(pusher: Pusher): Omit<PusherRow, 'device_id' | 'enabled'> {
  return {
    app_id: pusher.appId,
    pushkey: pusher.pushkey,
    kind: pusher.kind,
    app_display_name: pusher.appDisplayName,
    device_display_name: pusher.deviceDisplayName,
    profile_tag: pusher.profileTag ?? null,
    lang: pusher.lang,
    data: JSON.stringify(pusher.data),
  };
}

function show(row: PusherRow): ShownPusher {
  const data = parseJson(row.data);
  return {
    app_id: row.app_id,
    pushkey: row.pushkey,
    kind: row.kind,
    app_display_name: row.app_display_name,
    device_display_name: row.device_display_name,
    ...(row.profile_tag !== null && { profile_tag: row.profile_tag }),
    lang: row.lang,
    data: isJsonObject(data) ? data : {},
    'org.matrix.msc3881.enabled': row.enabled === 1,
    ...(row.device_id !== '' && { 'org.matrix.msc3881.device_id': row.device_id }),
  };
}
