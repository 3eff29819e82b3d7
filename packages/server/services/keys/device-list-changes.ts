import { encodeCanonical, type JsonObject } from '@portico/protocol';
import type { Database, WriteSet } from '@portico/storage';
import {
  markDeviceList,
  readJoinedRoomsOf,
  readListPlace,
  requireListPlace,
} from '@portico/storage/stores/devices/device-keys.ts';
import { queueDeviceUpdates, readHostsSharing } from '@portico/storage/stores/devices/device-list-sending.ts';
import { queueEdus } from '@portico/storage/stores/federation/stored-edus.ts';
import { deviceUpdate, withoutName, type ChangedDevice } from './device-update.ts';

export type DeviceListChange = {
  readonly devices?: readonly ChangedDevice[];
  /** The public master and self-signing key, where either is new. */
  readonly signingKeys?: { readonly master: JsonObject | undefined; readonly selfSigning: JsonObject | undefined };
};

/** Tells those who may use somebody's keys that they have changed: here and on other servers. */
export interface DeviceListChanges {
  /** Where somebody's list is. Asked for before the keys are read that others will be told of. */
  placeOf(userId: string): Promise<number>;
  /**
   * Adds to the write set that changes the keys. With the `place` that the list had, the commit fails on the guard `device-list.changed` if
   * there was another change since: other servers would be told last of what was there before it.
   */
  append(set: WriteSet, userId: string, change: DeviceListChange, place?: number): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  /** Whether this server talks to others. */
  readonly federates: boolean;
  /** Whether it tells them the names of devices. */
  readonly tellsNames: boolean;
};

export function createDeviceListChanges({ db, serverName, federates, tellsNames }: Dependencies): DeviceListChanges {
  return {
    placeOf: (userId) => readListPlace(db, userId),
    async append(set, userId, { devices = [], signingKeys }, place) {
      const [rooms, hosts] = await Promise.all([
        readJoinedRoomsOf(db, userId),
        federates && (devices.length > 0 || signingKeys !== undefined) ? readHostsSharing(db, userId, serverName) : [],
      ]);
      if (place !== undefined) requireListPlace(set, userId, place);
      const position = set.takePosition();
      queueDeviceUpdates(
        set,
        userId,
        hosts,
        devices,
        (device) => deviceUpdate(userId, tellsNames ? device : withoutName(device)),
        position,
      );
      if (signingKeys !== undefined && hosts.length > 0) {
        const { master, selfSigning } = signingKeys;
        const content = encodeCanonical({
          user_id: userId,
          ...(master && { master_key: master }),
          ...(selfSigning && { self_signing_key: selfSigning }),
        });
        queueEdus(set, userId, hosts, [{ type: 'm.signing_key_update', content }]);
      }
      markDeviceList(set, userId, rooms, position);
    },
  };
}
